// SPDX-License-Identifier: Apache-2.0
// Why a pod has no card: the walk of kubectl macvlan why.

import { h } from "preact"
import { useState } from "preact/hooks"
import { getWhy } from "./api"
import { t } from "./i18n"
import { go, Problem, useLoaded } from "./parts"

function Steps({ ns, pod }: { ns: string; pod: string }) {
	const { value, error, again } = useLoaded(() => getWhy(ns, pod), `why/${ns}/${pod}`)
	return (
		<section aria-label={`${ns}/${pod}`}>
			<h2>
				{ns}/{pod}
				<button type="button" onClick={again}>
					{t("refresh")}
				</button>
			</h2>
			<Problem text={error} />
			{!value && !error && <p>{t("loading")}</p>}
			<ol class="steps">
				{value?.steps.map((s) => (
					<li key={s.what} class={s.wrong ? "wrong" : "ok"}>
						<b>{s.what}</b> <span class={`state ${s.wrong ? "missing" : "attached"}`}>{t(s.wrong ? "wrong" : "ok")}</span>
						<p>{s.text}</p>
					</li>
				))}
			</ol>
			{value && !value.wrong && <p>{t("nothingWrong")}</p>}
		</section>
	)
}

export function WhyView({ ns, pod }: { ns?: string; pod?: string }) {
	const [text, setText] = useState(ns && pod ? `${ns}/${pod}` : "")
	const ask = (e: Event) => {
		e.preventDefault()
		const [a = "", b = ""] = text.trim().includes("/") ? text.trim().split("/") : ["default", text.trim()]
		if (a && b) go("why", a, b)
	}
	return (
		<div>
			<h1>{t("why")}</h1>
			<form class="row" onSubmit={ask}>
				<label class="search">
					{t("pod")}
					<input value={text} placeholder={t("whyHint")} onInput={(e) => setText(e.currentTarget.value)} />
				</label>
				<button type="submit">{t("ask")}</button>
			</form>
			{ns && pod && <Steps key={`${ns}/${pod}`} ns={ns} pod={pod} />}
		</div>
	)
}
