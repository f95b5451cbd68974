// SPDX-License-Identifier: Apache-2.0
// Every address of a subnet in its place, and whose it is.

import { h } from "preact"
import { useRef, useState } from "preact/hooks"
import type { Address, Addresses } from "./api"
import { t, tState } from "./i18n"
import { cellsOf, countCells } from "./ip"
import { Pager, placeOf, podOf, time, type Place } from "./parts"

const PAGE = 1024
const PLACES: Place[] = ["free", "used", "cooling", "reserved", "excluded", "conflict"]

function tell(address: string, a: Address | undefined, given: boolean, data: Addresses): string {
	const parts = [address, tState(a ? a.state : given ? "free" : "excluded")]
	if (!a) return parts.join(" · ")
	const workload = a.podUID && data.workloads?.[a.podUID]
	const rival = data.rivals[address]
	if (a.pod) parts.push(podOf(a))
	if (workload) parts.push(workload)
	if (a.node) parts.push(a.node)
	if (a.mac) parts.push(a.mac)
	if (rival) parts.push(`${t("foreignMac")} ${rival}`)
	if (a.keptFor) parts.push(a.keptFor)
	if (a.why) parts.push(a.why)
	if (a.until) parts.push(`${t("until")} ${time(a.until)}`)
	return parts.join(" · ")
}

const short = (address: string): string => address.slice(address.lastIndexOf(address.includes(":") ? ":" : ".") + 1) || "0"

export function Grid({ data }: { data: Addresses }) {
	const runs = data.runs ?? []
	const [page, setPage] = useState(0)
	const [at, setAt] = useState(0)
	const [hover, setHover] = useState<number | null>(null)
	const ref = useRef<HTMLDivElement>(null)
	const total = countCells(runs)
	const cells = cellsOf(runs, page * PAGE, PAGE)
	const by = new Map(data.items.map((a) => [a.address, a]))
	const text = cells.map((c) => tell(c.address, by.get(c.address), c.given, data))
	const shown = hover ?? at

	const onKey = (e: KeyboardEvent) => {
		const columns = ref.current ? getComputedStyle(ref.current).gridTemplateColumns.split(" ").length : 1
		const steps: Record<string, number> = {
			ArrowRight: 1,
			ArrowLeft: -1,
			ArrowDown: columns,
			ArrowUp: -columns,
			Home: -at,
			End: cells.length - 1 - at,
		}
		const step = steps[e.key]
		if (step === undefined) return
		e.preventDefault()
		const to = Math.min(Math.max(at + step, 0), cells.length - 1)
		setHover(null)
		setAt(to)
		ref.current?.children[to]?.scrollIntoView({ block: "nearest" })
	}

	if (!total) return <p>{t("none")}</p>
	return (
		<section aria-label={t("grid")}>
			<ul class="legend">
				{PLACES.map((p) => (
					<li key={p}>
						<span class={`cell ${p}`} aria-hidden="true" /> {t(p)}
					</li>
				))}
			</ul>
			<p class="hint">{t("gridHint")}</p>
			<div
				ref={ref}
				class="grid"
				role="listbox"
				tabIndex={0}
				aria-label={t("grid")}
				aria-activedescendant={`cell${at}`}
				onKeyDown={onKey}
				onMouseLeave={() => setHover(null)}
			>
				{cells.map((c, i) => (
					<div
						key={c.address}
						id={`cell${i}`}
						role="option"
						aria-selected={i === at}
						aria-label={text[i]}
						title={text[i]}
						data-address={c.address}
						class={`cell ${placeOf(by.get(c.address)?.state ?? (c.given ? "free" : "excluded"))}${i === at ? " at" : ""}`}
						onMouseEnter={() => setHover(i)}
						onClick={() => setAt(i)}
					>
						{short(c.address)}
					</div>
				))}
			</div>
			<p class="detail" data-detail>
				{text[Math.min(shown, text.length - 1)]}
			</p>
			<Pager
				page={page}
				pages={Math.ceil(total / PAGE)}
				set={(n) => {
					setPage(n)
					setAt(0)
					setHover(null)
				}}
			/>
		</section>
	)
}
