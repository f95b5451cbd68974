// SPDX-License-Identifier: Apache-2.0
// The questions that kubectl macvlan ui answers. The kubeconfig stays with it: here is only the secret of its run.

export interface Subnet {
	name: string
	master?: string
	vlan?: number
	cidr?: string
	gateway?: string
	state: string
	reason?: string
	total: number
	used: number
	free: number
	reserved: number
	cooling: number
	quarantined: number
}

export interface Subnets {
	server: string
	as?: string
	namespace: string
	version: string
	items: Subnet[]
}

export interface Address {
	subnet: string
	address?: string
	state: string
	namespace?: string
	pod?: string
	podUID?: string
	node?: string
	mac?: string
	since?: string
	keptFor?: string
	until?: string
	unproven?: boolean
	why?: string
}

export interface Conflict {
	subnet: string
	at: string
	mac?: string
	namespace?: string
	pod?: string
}

// First address, last address, whether pods can have them.
export type Run = [string, string, boolean]

export interface Addresses {
	items: Address[]
	conflicts: Conflict[] // of the last hour
	rivals: Record<string, string> // address: the MAC of the machine that has it as well
	subnet?: Subnet
	runs?: Run[]
	workloads?: Record<string, string> // by the pod's UID
}

export interface Why {
	wrong: boolean
	steps: { what: string; wrong: boolean; text: string }[]
}

export interface Range {
	rangeStart: string
	rangeEnd: string
}

export interface Route {
	dst: string
	gw?: string
	iface?: string
}

export interface Selector {
	matchLabels?: Record<string, string>
	matchExpressions?: { key: string; operator: string; values?: string[] }[]
}

export interface Spec {
	master?: string
	masterSelector?: Record<string, string>
	vlan?: number
	cidr?: string
	mode?: string
	linkType?: string
	gateway?: string
	allowedNamespaces?: Selector
	ipDelayReuse?: number
	ranges?: Range[] | null
	exclude?: string[] | null
	routes?: Route[] | null
	podDefaultGateway?: { enable?: boolean; serviceCidr?: string } | null
}

export interface SubnetObject {
	metadata: { name: string; uid: string; resourceVersion: string }
	spec: Spec
}

export class Refused extends Error {
	constructor(
		readonly status: number,
		message: string,
	) {
		super(message)
	}
}

// The fragment is "#SECRET/view/...": browsers send it to nobody.
export const secret = (): string => location.hash.slice(1).split("/")[0] ?? ""

async function ask<T>(method: string, path: string, query: Record<string, string>, body?: unknown): Promise<T> {
	const headers: Record<string, string> = { "X-Tandem-Secret": secret() }
	if (body !== undefined) headers["Content-Type"] = "application/json"
	const words = new URLSearchParams(query).toString()
	let answer: Response
	try {
		answer = await fetch(`/api/${path}${words ? "?" + words : ""}`, {
			method,
			headers,
			body: body === undefined ? null : JSON.stringify(body),
			cache: "no-store",
			credentials: "omit",
			redirect: "error",
		})
	} catch {
		throw new Refused(0, "")
	}
	const text = await answer.text()
	if (answer.ok) return JSON.parse(text) as T
	let message = text
	try {
		message = (JSON.parse(text) as { message: string }).message
	} catch {
		// A guard's word is plain text.
	}
	throw new Refused(answer.status, message.trim())
}

const trial = (dryRun: boolean): Record<string, string> => (dryRun ? { dryRun: "1" } : {})

export const getSubnets = () => ask<Subnets>("GET", "subnets", {})
export const getSubnet = (name: string) => ask<SubnetObject>("GET", "subnet", { name })
export const getAddresses = (subnet: string, workloads: boolean) =>
	ask<Addresses>("GET", "addresses", { ...(subnet && { subnet }), ...(workloads && { workloads: "1" }) })
export const getWhy = (namespace: string, pod: string) => ask<Why>("GET", "why", { namespace, pod })
export const createSubnet = (name: string, spec: Spec, dryRun: boolean) =>
	ask<SubnetObject>("POST", "subnets", trial(dryRun), { name, spec })
export const editSubnet = (name: string, resourceVersion: string, spec: Spec, dryRun: boolean) =>
	ask<SubnetObject>("PATCH", "subnet", { name, ...trial(dryRun) }, { resourceVersion, spec })
export const deleteSubnet = (name: string, uid: string, dryRun: boolean) =>
	ask<unknown>("DELETE", "subnet", { name, uid, ...trial(dryRun) })
