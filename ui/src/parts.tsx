// SPDX-License-Identifier: Apache-2.0
// Small parts that the views share. Texts are only ever children or attributes: nothing is made into HTML.

import { Fragment, h, type ComponentChildren } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"
import { Refused, secret, type Address, type Subnet } from "./api"
import { t, tState, type Key } from "./i18n"

export function go(...view: string[]): void {
	location.hash = [secret(), ...view.map(encodeURIComponent)].join("/")
}

export const viewOf = (): string[] => location.hash.slice(1).split("/").slice(1).map(decodeURIComponent)

export const say = (e: unknown): string =>
	e instanceof Refused && !e.status ? t("gone") : e instanceof Error ? e.message : String(e)

// What has been loaded, again every few seconds while somebody looks at it.
export function useLoaded<T>(load: () => Promise<T>, what: string, every = 10000) {
	const [state, setState] = useState<{ of: string; value?: T; error?: string }>({ of: what })
	const [turn, setTurn] = useState(0)
	useEffect(() => {
		let over = false
		load().then(
			(value) => !over && setState({ of: what, value }),
			(e) => !over && setState((was) => ({ ...(was.of === what && was), of: what, error: say(e) })),
		)
		const timer = setTimeout(() => !document.hidden && setTurn((n) => n + 1), every)
		const seen = () => !document.hidden && setTurn((n) => n + 1)
		document.addEventListener("visibilitychange", seen)
		return () => {
			over = true
			clearTimeout(timer)
			document.removeEventListener("visibilitychange", seen)
		}
	}, [what, turn])
	const mine = state.of === what
	return { value: mine ? state.value : undefined, error: mine ? state.error : undefined, again: () => setTurn((n) => n + 1) }
}

export function Problem({ text }: { text: string | undefined }) {
	return text ? (
		<p class="problem" role="alert">
			{text}
		</p>
	) : null
}

export interface Column<T> {
	head: Key
	cell: (row: T) => ComponentChildren
	tight?: boolean // never broken into lines where there is room
}

// Roles stand there because a narrow screen shows the rows as cards, by which browsers take a table's away.
export function Table<T>(p: { label: string; columns: Column<T>[]; rows: T[]; id: (row: T) => string }) {
	return (
		<table role="table" aria-label={p.label}>
			<thead role="rowgroup">
				<tr role="row">
					{p.columns.map((c) => (
						<th role="columnheader" scope="col" key={c.head}>
							{t(c.head)}
						</th>
					))}
				</tr>
			</thead>
			<tbody role="rowgroup">
				{p.rows.map((r) => (
					<tr role="row" key={p.id(r)}>
						{p.columns.map((c) => (
							<td role="cell" key={c.head} class={c.tight ? "tight" : undefined} data-head={t(c.head)}>
								{c.cell(r)}
							</td>
						))}
					</tr>
				))}
			</tbody>
		</table>
	)
}

export type Place = "free" | "used" | "reserved" | "cooling" | "excluded" | "conflict"

export function placeOf(state: string): Place {
	switch (state) {
		case "free":
		case "excluded":
		case "cooling":
		case "conflict":
			return state
		case "quarantined":
			return "conflict"
		case "reserved":
		case "kept":
			return "reserved"
		default:
			return "used"
	}
}

export const State = ({ state }: { state: string }) => <span class={`state ${state.replace(/ /g, "-")}`}>{tState(state)}</span>

// The same parts as the bar of kubectl macvlan subnets.
export function Bar({ s }: { s: Subnet }) {
	const quarantined = Math.min(s.quarantined, s.cooling)
	const parts: [Place, number][] = [
		["used", s.used],
		["reserved", s.reserved],
		["cooling", s.cooling - quarantined],
		["conflict", quarantined],
	]
	const total = Math.max(s.total, s.used + s.reserved + s.cooling, 1)
	let at = 0
	const label = [...parts, ["free", s.free] as [Place, number]].map(([k, n]) => `${t(k)} ${n}`).join(", ")
	return (
		<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label={label}>
			<title>{label}</title>
			{parts.map(([kind, n]) => {
				const x = at
				at += (n * 100) / total
				return n > 0 ? <rect key={kind} class={kind} x={x} y="0" width={at - x} height="10" /> : null
			})}
		</svg>
	)
}

export const podOf = (a: Address): string => (a.pod ? `${a.namespace}/${a.pod}` : "")

export const time = (iso: string | undefined): string => (iso ? new Date(iso).toLocaleString() : "")

export function Pager(p: { page: number; pages: number; set: (n: number) => void }) {
	if (p.pages < 2) return null
	return (
		<nav class="pager" aria-label={t("page")}>
			<button type="button" disabled={p.page === 0} onClick={() => p.set(p.page - 1)}>
				{t("previous")}
			</button>
			<span>
				{t("page")} {p.page + 1} {t("of")} {p.pages}
			</span>
			<button type="button" disabled={p.page >= p.pages - 1} onClick={() => p.set(p.page + 1)}>
				{t("next")}
			</button>
		</nav>
	)
}

export function Dialog(p: { title: string; onClose: () => void; children: ComponentChildren }) {
	const ref = useRef<HTMLDialogElement>(null)
	useEffect(() => {
		ref.current?.showModal()
	}, [])
	return (
		<dialog ref={ref} aria-label={p.title} onClose={p.onClose}>
			<h2>{p.title}</h2>
			<Fragment>{p.children}</Fragment>
		</dialog>
	)
}
