// SPDX-License-Identifier: Apache-2.0
// Who has which address, and which of them another machine has as well.

import { h } from "preact"
import { useMemo, useRef, useState } from "preact/hooks"
import { getAddresses, type Address, type Addresses } from "./api"
import { t } from "./i18n"
import { go, Pager, podOf, Problem, State, Table, time, useLoaded, type Column } from "./parts"

const ROWS = 100
const LOOK_MS = 15000

// Workloads come with the first look: they are the pods' own, and do not change.
export function useAddresses(subnet: string) {
	const kept = useRef<Record<string, string> | undefined>(undefined)
	const loaded = useLoaded(
		async () => {
			const all = await getAddresses(subnet, !kept.current)
			kept.current = { ...kept.current, ...all.workloads }
			return { ...all, workloads: kept.current }
		},
		`addresses/${subnet}`,
		LOOK_MS,
	)
	const again = () => {
		kept.current = undefined
		loaded.again()
	}
	return { ...loaded, again }
}

const workloadOf = (a: Address, data: Addresses): string => (a.podUID && data.workloads?.[a.podUID]) || a.keptFor || ""

export const whyButton = (a: Address) =>
	a.pod ? (
		<button type="button" class="small" onClick={() => go("why", a.namespace ?? "", a.pod ?? "")} aria-label={`${t("askWhy")} ${podOf(a)}`}>
			{t("askWhy")}
		</button>
	) : null

const columns = (data: Addresses, withSubnet: boolean): Column<Address>[] => [
	{ head: "address", tight: true, cell: (a) => a.address ?? "" },
	...(withSubnet ? [{ head: "subnet", cell: (a: Address) => a.subnet } as Column<Address>] : []),
	{ head: "state", cell: (a) => <State state={a.state} /> },
	{ head: "pod", cell: podOf },
	{ head: "workload", cell: (a) => workloadOf(a, data) },
	{ head: "node", cell: (a) => a.node ?? "" },
	{ head: "mac", tight: true, cell: (a) => a.mac ?? "" },
	{ head: "until", cell: (a) => time(a.until) },
	{ head: "reason", cell: (a) => a.why ?? "" },
	{ head: "details", tight: true, cell: whyButton },
]

const textOf = (a: Address, data: Addresses): string =>
	[a.address, a.subnet, a.state, podOf(a), workloadOf(a, data), a.node, a.mac, data.rivals[a.address ?? ""], a.why].join(" ").toLowerCase()

export function List({ data, withSubnet }: { data: Addresses; withSubnet: boolean }) {
	const [words, setWords] = useState("")
	const [page, setPage] = useState(0)
	const texts = useMemo(() => data.items.map((a) => textOf(a, data)), [data])
	const wanted = words.toLowerCase().split(/\s+/).filter(Boolean)
	const rows = data.items.filter((_, i) => wanted.every((w) => texts[i]?.includes(w)))
	const pages = Math.max(1, Math.ceil(rows.length / ROWS))
	const now = Math.min(page, pages - 1)
	return (
		<section aria-label={t("addresses")}>
			<div class="row">
				<label class="search">
					{t("search")}
					<input
						type="search"
						value={words}
						placeholder={t("searchHint")}
						onInput={(e) => {
							setWords(e.currentTarget.value)
							setPage(0)
						}}
					/>
				</label>
				<span role="status" data-count>
					{rows.length} {t("results")}
				</span>
			</div>
			<Table
				label={t("addresses")}
				columns={columns(data, withSubnet)}
				rows={rows.slice(now * ROWS, now * ROWS + ROWS)}
				id={(a) => `${a.address} ${a.namespace}/${a.pod}`}
			/>
			<Pager page={now} pages={pages} set={setPage} />
		</section>
	)
}

// Which machines have answered for an address; it is quarantined, and the pod has another one by now.
export function LastConflicts({ data }: { data: Addresses }) {
	if (!data.conflicts.length) return null
	return (
		<section aria-label={`${t("conflicts")} ${t("lastHour")}`}>
			<h2>
				{t("conflicts")} {t("lastHour")}
			</h2>
			<Table
				label={`${t("conflicts")} ${t("lastHour")}`}
				columns={[
					{ head: "since", cell: (c) => time(c.at) },
					{ head: "subnet", cell: (c) => c.subnet },
					{ head: "foreignMac", tight: true, cell: (c) => c.mac ?? "" },
					{ head: "pod", cell: (c) => (c.pod ? `${c.namespace}/${c.pod}` : "") },
				]}
				rows={data.conflicts}
				id={(c) => `${c.at} ${c.subnet} ${c.mac}`}
			/>
		</section>
	)
}

export function AddressesView() {
	const { value, error, again } = useAddresses("")
	return (
		<div>
			<h1>
				{t("addresses")}
				<button type="button" onClick={again}>
					{t("refresh")}
				</button>
			</h1>
			<Problem text={error} />
			{value ? <List data={value} withSubnet={true} /> : !error && <p>{t("loading")}</p>}
		</div>
	)
}

export function ConflictsView() {
	const { value, error, again } = useAddresses("")
	const rows = value?.items.filter((a) => a.state === "conflict" || a.state === "quarantined") ?? []
	return (
		<div>
			<h1>
				{t("conflicts")}
				<button type="button" onClick={again}>
					{t("refresh")}
				</button>
			</h1>
			<Problem text={error} />
			{!value && !error && <p>{t("loading")}</p>}
			{value && !rows.length && !value.conflicts.length && <p>{t("noConflicts")}</p>}
			{value && rows.length > 0 && (
				<Table
					label={t("conflicts")}
					columns={[
						{ head: "address", tight: true, cell: (a) => a.address ?? "" },
						{ head: "subnet", cell: (a) => a.subnet },
						{ head: "state", cell: (a) => <State state={a.state} /> },
						{ head: "foreignMac", tight: true, cell: (a) => value.rivals[a.address ?? ""] ?? "" },
						{ head: "pod", cell: podOf },
						{ head: "node", cell: (a) => a.node ?? "" },
						{ head: "until", cell: (a) => time(a.until) },
						{ head: "reason", cell: (a) => a.why ?? "" },
					]}
					rows={rows}
					id={(a) => `${a.address} ${a.pod}`}
				/>
			)}
			{value && <LastConflicts data={value} />}
		</div>
	)
}
