// SPDX-License-Identifier: Apache-2.0
// The frame: what is looked at stands in the fragment, behind the secret.

import { h, render } from "preact"
import { useEffect, useState } from "preact/hooks"
import { AddressesView, ConflictsView } from "./addresses"
import { getSubnets, secret } from "./api"
import { Form } from "./form"
import { getLang, setLang, t, type Key } from "./i18n"
import { go, Problem, useLoaded, viewOf } from "./parts"
import { SubnetsView, SubnetView } from "./subnets"
import { WhyView } from "./why"

const TABS: Key[] = ["subnets", "addresses", "conflicts", "why"]

function View({ view, subnets }: { view: string[]; subnets: ReturnType<typeof useLoaded<Awaited<ReturnType<typeof getSubnets>>>> }) {
	const [kind = "", a = "", b = ""] = view
	const back = (name?: string) => {
		subnets.again()
		if (name) go("subnet", name)
		else go("subnets")
	}
	switch (kind) {
		case "subnet":
			return <SubnetView key={a} name={a} onGone={back} />
		case "create":
			return <Form key="create" onDone={back} />
		case "edit":
			return <Form key={`edit/${a}`} name={a} onDone={back} />
		case "addresses":
			return <AddressesView />
		case "conflicts":
			return <ConflictsView />
		case "why":
			return <WhyView key={`${a}/${b}`} ns={a} pod={b} />
		default:
			return <SubnetsView all={subnets.value} error={subnets.error} again={subnets.again} />
	}
}

function Page() {
	const [view, setView] = useState(viewOf())
	const [lang, setNow] = useState(getLang())
	const subnets = useLoaded(getSubnets, `subnets/${secret()}`)
	useEffect(() => {
		const changed = () => setView(viewOf())
		addEventListener("hashchange", changed)
		return () => removeEventListener("hashchange", changed)
	}, [])
	useEffect(() => {
		document.title = `tandem: ${t("title")}`
	}, [lang])
	const other = () => {
		setLang(lang === "zh" ? "en" : "zh")
		setNow(getLang())
	}
	const now = view[0] === "subnet" || view[0] === "edit" || view[0] === "create" || !view[0] ? "subnets" : view[0]
	if (!secret())
		return (
			<main>
				<h1>tandem</h1>
				<Problem text={t("noSecret")} />
			</main>
		)
	return (
		<div>
			<button type="button" class="skip" onClick={() => document.getElementById("content")?.focus()}>
				{t("skip")}
			</button>
			<header>
				<b>tandem</b>
				<nav aria-label="tandem">
					{TABS.map((k) => (
						<button type="button" key={k} class="tab" aria-current={now === k ? "page" : undefined} onClick={() => go(k)}>
							{t(k)}
						</button>
					))}
				</nav>
				<button type="button" lang={lang === "zh" ? "en" : "zh"} onClick={other}>
					{t("language")}
				</button>
			</header>
			<main id="content" tabIndex={-1}>
				<View view={view} subnets={subnets} />
			</main>
			<footer>
				{subnets.value && (
					<small>
						{t("server")} {subnets.value.server}
						{subnets.value.as && ` ${t("as")} ${subnets.value.as}`} · {subnets.value.namespace} · {subnets.value.version}
					</small>
				)}
			</footer>
		</div>
	)
}

setLang(getLang())
const root = document.getElementById("page")
if (root) render(<Page />, root)
