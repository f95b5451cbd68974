// SPDX-License-Identifier: Apache-2.0
// What stands in the form, and the object that it means. The rules are the cluster's.

import type { Range, Route, Selector, Spec } from "./api"

// How nodes find the NIC: by its name, or by one thing of it (masterSelector).
export const MASTER_BY = ["name", "addressIn", "mac", "driver", "namePattern"] as const
export type MasterBy = (typeof MASTER_BY)[number]

export interface Draft {
	name: string
	masterBy: MasterBy
	master: string
	vlan: string
	cidr: string
	mode: string
	gateway: string
	project: string
	recycling: string
	ranges: Range[]
	exclude: string
	routes: Required<Route>[]
	defaultGateway: boolean
	serviceCidr: string
}

export const empty = (): Draft => ({
	name: "",
	masterBy: "name",
	master: "",
	vlan: "",
	cidr: "",
	mode: "",
	gateway: "",
	project: "",
	recycling: "",
	ranges: [],
	exclude: "",
	routes: [],
	defaultGateway: false,
	serviceCidr: "",
})

const words = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean)

const NAME_LABEL = "kubernetes.io/metadata.name"

// Names of namespaces, and labels of them.
function selectorOf(text: string): Selector | undefined {
	const all = words(text)
	const labels = all.filter((w) => w.includes("=")).map((w) => [w.slice(0, w.indexOf("=")), w.slice(w.indexOf("=") + 1)])
	const names = all.filter((w) => !w.includes("="))
	if (!all.length) return undefined
	return {
		...(labels.length && { matchLabels: Object.fromEntries(labels) as Record<string, string> }),
		...(names.length && { matchExpressions: [{ key: NAME_LABEL, operator: "In", values: names }] }),
	}
}

function projectOf(s: Selector | undefined): string {
	const labels = Object.entries(s?.matchLabels ?? {}).map(([k, v]) => `${k}=${v}`)
	const terms = (s?.matchExpressions ?? []).map((e) =>
		e.key === NAME_LABEL && e.operator === "In" ? (e.values ?? []).join(", ") : `${e.key} ${e.operator} ${(e.values ?? []).join("|")}`,
	)
	return [...labels, ...terms].join(", ")
}

export function draftOf(name: string, s: Spec): Draft {
	const by = MASTER_BY.find((k) => s.masterSelector?.[k] !== undefined)
	return {
		name,
		masterBy: by ?? "name",
		master: (by ? s.masterSelector?.[by] : s.master) ?? "",
		vlan: String(s.vlan ?? 0),
		cidr: s.cidr ?? "",
		mode: s.mode ?? "",
		gateway: s.gateway ?? "",
		project: projectOf(s.allowedNamespaces),
		recycling: s.ipDelayReuse === undefined ? "" : String(s.ipDelayReuse),
		ranges: s.ranges ?? [],
		exclude: (s.exclude ?? []).join(", "),
		routes: (s.routes ?? []).map((r) => ({ dst: r.dst, gw: r.gw ?? "", iface: r.iface ?? "" })),
		defaultGateway: !!s.podDefaultGateway?.enable,
		serviceCidr: s.podDefaultGateway?.serviceCidr ?? "",
	}
}

// A number as one, anything else as it was typed: the schema names the field.
const numberOf = (text: string): number => (/^-?\d{1,15}$/.test(text.trim()) ? Number(text) : (text as unknown as number))

// What can be edited; what has been emptied is taken away (null, in a merge patch).
export function editableOf(d: Draft): Spec {
	const exclude = words(d.exclude)
	return {
		ranges: d.ranges.length ? d.ranges.map((r) => ({ rangeStart: r.rangeStart.trim(), rangeEnd: r.rangeEnd.trim() })) : null,
		exclude: exclude.length ? exclude : null,
		routes: d.routes.length
			? d.routes.map((r) => ({ dst: r.dst.trim(), ...(r.gw.trim() && { gw: r.gw.trim() }), ...(r.iface && { iface: r.iface }) }))
			: null,
		podDefaultGateway: d.defaultGateway
			? { enable: true, serviceCidr: d.serviceCidr.trim() || (null as unknown as string) }
			: null,
	}
}

export function specOf(d: Draft): Spec {
	const selector = selectorOf(d.project)
	const spec: Spec = {
		...editableOf(d),
		...(d.masterBy === "name" ? { master: d.master.trim() } : { masterSelector: { [d.masterBy]: d.master.trim() } }),
		cidr: d.cidr.trim(),
		...(d.vlan.trim() && { vlan: numberOf(d.vlan) }),
		...(d.mode && { mode: d.mode }),
		...(d.mode.startsWith("l") && { linkType: "ipvlan" }),
		...(d.gateway.trim() && { gateway: d.gateway.trim() }),
		...(selector && { allowedNamespaces: selector }),
		...(d.recycling.trim() && { ipDelayReuse: numberOf(d.recycling) }),
	}
	for (const [key, value] of Object.entries(spec)) if (value === null) delete spec[key as keyof Spec]
	if (spec.podDefaultGateway && spec.podDefaultGateway.serviceCidr === null) spec.podDefaultGateway = { enable: true }
	return spec
}

// Whether it is worth asking the cluster.
export const isAskable = (d: Draft): boolean => !!(d.name.trim() && d.master.trim() && d.cidr.trim())
