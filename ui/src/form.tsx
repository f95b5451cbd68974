// SPDX-License-Identifier: Apache-2.0
// A subnet is made or edited. While it is typed the cluster is asked, as a trial, what it would say.

import { Fragment, h, type ComponentChildren } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"
import { createSubnet, editSubnet, getSubnet, Refused } from "./api"
import { readErrors, type FieldErrors } from "./errors"
import { t, type Key } from "./i18n"
import { Problem, say } from "./parts"
import { draftOf, editableOf, empty, isAskable, MASTER_BY, specOf, type Draft } from "./spec"

const MODES = ["bridge", "private", "vepa", "passthru", "l2", "l3", "l3s"]
const PAUSE_MS = 500
const NOTHING: FieldErrors = { fields: {}, general: [] }

interface FieldProps {
	id: string
	label: Key
	hint?: Key
	path: string // of the object, by which errors name it
	also?: string // another one that means it
	errors: FieldErrors
	locked?: boolean
	children?: ComponentChildren
}

const errorsAt = (errors: FieldErrors, path: string, all = false): string =>
	Object.entries(errors.fields)
		.filter(([p]) => p === path || (all && (p.startsWith(path + ".") || p.startsWith(path + "["))))
		.map(([, text]) => text)
		.join("; ")

const described = (p: { id: string; hint?: Key | undefined; locked?: boolean | undefined }, error: string): string | undefined =>
	[p.locked ? "locked-note" : p.hint && `${p.id}-hint`, error && `${p.id}-error`].filter(Boolean).join(" ") || undefined

function Notes({ id, hint, error }: { id: string; hint?: Key | undefined; error: string }) {
	return (
		<Fragment>
			{hint && (
				<small id={`${id}-hint`} class="hint">
					{t(hint)}
				</small>
			)}
			{error && (
				<span id={`${id}-error`} class="error" role="alert">
					{error}
				</span>
			)}
		</Fragment>
	)
}

function Field(p: FieldProps & { value: string; set: (v: string) => void; required?: boolean; number?: boolean }) {
	const error = [errorsAt(p.errors, p.path, true), p.also && errorsAt(p.errors, p.also, true)].filter(Boolean).join("; ")
	const hint = p.locked ? undefined : p.hint
	return (
		<div class="field">
			<label for={p.id}>
				{t(p.label)}
				{p.required && " *"}
			</label>
			<input
				id={p.id}
				value={p.value}
				readOnly={p.locked}
				required={p.required}
				inputMode={p.number ? "numeric" : "text"}
				autoComplete="off"
				spellcheck={false}
				aria-invalid={!!error}
				aria-describedby={described({ id: p.id, hint, locked: p.locked }, error)}
				onInput={(e) => p.set(e.currentTarget.value)}
			/>
			<Notes id={p.id} hint={hint} error={error} />
		</div>
	)
}

// One cell of a row of ranges or routes.
function Cell(p: { label: string; path: string; errors: FieldErrors; value: string; set: (v: string) => void }) {
	const error = errorsAt(p.errors, p.path)
	const id = p.path.replace(/[^a-zA-Z0-9]/g, "-")
	return (
		<div class="field" data-field={p.path}>
			<label for={id}>{p.label}</label>
			<input
				id={id}
				value={p.value}
				autoComplete="off"
				spellcheck={false}
				aria-invalid={!!error}
				aria-describedby={described({ id }, error)}
				onInput={(e) => p.set(e.currentTarget.value)}
			/>
			<Notes id={id} error={error} />
		</div>
	)
}

function Rows<T>(p: {
	label: Key
	hint?: Key
	path: string
	errors: FieldErrors
	rows: T[]
	set: (rows: T[]) => void
	fresh: T
	cells: (row: T, i: number, change: (part: Partial<T>) => void) => ComponentChildren
}) {
	const change = (i: number) => (part: Partial<T>) => p.set(p.rows.map((r, k) => (k === i ? { ...r, ...part } : r)))
	const own = errorsAt(p.errors, p.path)
	return (
		<fieldset>
			<legend>{t(p.label)}</legend>
			{p.hint && <small class="hint">{t(p.hint)}</small>}
			{p.rows.map((row, i) => (
				<div class="row" key={i}>
					{p.cells(row, i, change(i))}
					<button type="button" class="small" aria-label={`${t("remove")} ${t(p.label)} ${i + 1}`} onClick={() => p.set(p.rows.filter((_, k) => k !== i))}>
						{t("remove")}
					</button>
					<Notes id={`${p.path}-${i}`} error={errorsAt(p.errors, `${p.path}[${i}]`)} />
				</div>
			))}
			<Notes id={p.path} error={own} />
			<button type="button" class="small" aria-label={`${t("add")} ${t(p.label)}`} onClick={() => p.set([...p.rows, p.fresh])}>
				{t("add")}
			</button>
		</fieldset>
	)
}

// Asks while nothing is typed for a moment; an older answer than the last question is no answer.
function useTrial(d: Draft, ready: boolean, run: (dryRun: boolean) => Promise<unknown>) {
	const [verdict, setVerdict] = useState<{ state: "" | "asking" | "accepted"; errors: FieldErrors }>({ state: "", errors: NOTHING })
	const turn = useRef(0)
	useEffect(() => {
		const mine = ++turn.current
		if (!ready) return
		const timer = setTimeout(() => {
			setVerdict((v) => ({ ...v, state: "asking" }))
			run(true).then(
				() => mine === turn.current && setVerdict({ state: "accepted", errors: NOTHING }),
				(e) => mine === turn.current && setVerdict({ state: "", errors: readErrors(say(e)) }),
			)
		}, PAUSE_MS)
		return () => clearTimeout(timer)
	}, [d, ready])
	return { ...verdict, fail: (errors: FieldErrors) => (turn.current++, setVerdict({ state: "", errors })) }
}

function Choice(p: {
	id: string
	label: Key
	error: string
	locked: boolean
	value: string
	set: (v: string) => void
	children: ComponentChildren
}) {
	return (
		<div class="field">
			<label for={p.id}>{t(p.label)}</label>
			<select
				id={p.id}
				value={p.value}
				disabled={p.locked}
				aria-describedby={described({ id: p.id, locked: p.locked }, p.error)}
				onChange={(e) => p.set(e.currentTarget.value)}
			>
				{p.children}
			</select>
			<Notes id={p.id} error={p.error} />
		</div>
	)
}

function Fields({ d, set, errors, locked }: { d: Draft; set: (part: Partial<Draft>) => void; errors: FieldErrors; locked: boolean }) {
	return (
		<div class="fields">
			<Field id="name" label="name" path="metadata.name" required {...{ errors, locked }} value={d.name} set={(name) => set({ name })} />
			<Choice id="master-by" label="masterBy" error="" locked={locked} value={d.masterBy} set={(by) => set({ masterBy: by as Draft["masterBy"] })}>
				{MASTER_BY.map((by) => (
					<option key={by} value={by}>
						{t(`by_${by}`)}
					</option>
				))}
			</Choice>
			<Field id="master" label="master" path="spec.master" also="spec.masterSelector" required {...{ errors, locked }} value={d.master} set={(master) => set({ master })} />
			<Field id="vlan" label="vlan" hint="vlanHint" path="spec.vlan" number {...{ errors, locked }} value={d.vlan} set={(vlan) => set({ vlan })} />
			<Field id="cidr" label="cidr" path="spec.cidr" required {...{ errors, locked }} value={d.cidr} set={(cidr) => set({ cidr })} />
			<Choice id="mode" label="mode" error={errorsAt(errors, "spec.mode")} locked={locked} value={d.mode} set={(mode) => set({ mode })}>
				<option value="">{t("modeDefault")}</option>
				{MODES.map((m) => (
					<option key={m} value={m}>
						{m.startsWith("l") ? `ipvlan ${m}` : m}
					</option>
				))}
			</Choice>
			<Field id="gateway" label="gateway" hint="gatewayHint" path="spec.gateway" {...{ errors, locked }} value={d.gateway} set={(gateway) => set({ gateway })} />
			<Field id="project" label="project" hint="projectHint" path="spec.allowedNamespaces" {...{ errors, locked }} value={d.project} set={(project) => set({ project })} />
			<Field id="recycling" label="recycling" hint="recyclingHint" path="spec.ipDelayReuse" number {...{ errors, locked }} value={d.recycling} set={(recycling) => set({ recycling })} />
		</div>
	)
}

function Advanced({ d, set, errors }: { d: Draft; set: (part: Partial<Draft>) => void; errors: FieldErrors }) {
	return (
		<Fragment>
			<Rows
				label="ranges"
				hint="rangesHint"
				path="spec.ranges"
				errors={errors}
				rows={d.ranges}
				set={(ranges) => set({ ranges })}
				fresh={{ rangeStart: "", rangeEnd: "" }}
				cells={(r, i, change) => (
					<Fragment>
						<Cell label={t("from")} path={`spec.ranges[${i}].rangeStart`} errors={errors} value={r.rangeStart} set={(rangeStart) => change({ rangeStart })} />
						<Cell label={t("to")} path={`spec.ranges[${i}].rangeEnd`} errors={errors} value={r.rangeEnd} set={(rangeEnd) => change({ rangeEnd })} />
					</Fragment>
				)}
			/>
			<Field id="exclude" label="exclude" hint="excludeHint" path="spec.exclude" errors={errors} value={d.exclude} set={(exclude) => set({ exclude })} />
			<Rows
				label="routes"
				path="spec.routes"
				errors={errors}
				rows={d.routes}
				set={(routes) => set({ routes })}
				fresh={{ dst: "", gw: "", iface: "" }}
				cells={(r, i, change) => (
					<Fragment>
						<Cell label={t("dst")} path={`spec.routes[${i}].dst`} errors={errors} value={r.dst} set={(dst) => change({ dst })} />
						<Cell label={t("gw")} path={`spec.routes[${i}].gw`} errors={errors} value={r.gw} set={(gw) => change({ gw })} />
						<div class="field">
							<label for={`iface-${i}`}>{t("iface")}</label>
							<select id={`iface-${i}`} value={r.iface} onChange={(e) => change({ iface: e.currentTarget.value })}>
								<option value="">eth1</option>
								<option value="eth0">eth0</option>
							</select>
						</div>
					</Fragment>
				)}
			/>
			<fieldset>
				<legend>{t("defaultGateway")}</legend>
				<label class="check">
					<input id="default-gateway" type="checkbox" checked={d.defaultGateway} onChange={(e) => set({ defaultGateway: e.currentTarget.checked })} />
					{t("defaultGateway")}
				</label>
				<Notes id="default-gateway" error={errorsAt(errors, "spec.podDefaultGateway.enable")} />
				{d.defaultGateway && (
					<Field
						id="service-cidr"
						label="serviceCidr"
						hint="serviceCidrHint"
						path="spec.podDefaultGateway.serviceCidr"
						errors={errors}
						value={d.serviceCidr}
						set={(serviceCidr) => set({ serviceCidr })}
					/>
				)}
			</fieldset>
		</Fragment>
	)
}

const PLACED = /^(metadata\.name|spec\.(master|masterSelector|vlan|cidr|mode|gateway|allowedNamespaces|ipDelayReuse|ranges|exclude|routes|podDefaultGateway))\b/

// What has no field of its own here stands above them all.
const unplaced = (e: FieldErrors): string =>
	[
		...e.general,
		...Object.entries(e.fields)
			.filter(([p]) => !PLACED.test(p))
			.map(([p, text]) => `${p}: ${text}`),
	].join("; ")

export function Form({ name, onDone }: { name?: string; onDone: (name?: string) => void }) {
	const [d, setDraft] = useState(empty())
	const [version, setVersion] = useState("")
	const [touched, setTouched] = useState(false)
	const [busy, setBusy] = useState(false)
	const [note, setNote] = useState("")
	const editing = !!name
	const run = (dryRun: boolean) =>
		editing ? editSubnet(name, version, editableOf(d), dryRun) : createSubnet(d.name.trim(), specOf(d), dryRun)
	const ready = editing ? !!version : isAskable(d)
	const verdict = useTrial(d, touched && ready, run)
	const read = () =>
		getSubnet(name ?? "").then(
			(o) => {
				setDraft(draftOf(o.metadata.name, o.spec))
				setVersion(o.metadata.resourceVersion)
			},
			(e) => setNote(say(e)),
		)
	useEffect(() => {
		if (editing) read()
	}, [name])
	const set = (part: Partial<Draft>) => {
		setTouched(true)
		setNote("")
		setDraft((was) => ({ ...was, ...part }))
	}
	const save = (e: Event) => {
		e.preventDefault()
		setBusy(true)
		run(false).then(
			() => onDone(d.name.trim()),
			(error) => {
				setBusy(false)
				if (editing && error instanceof Refused && error.status === 409) {
					setNote(t("changed"))
					void read()
				} else {
					verdict.fail(readErrors(say(error)))
				}
			},
		)
	}
	return (
		<form onSubmit={save} noValidate aria-label={editing ? `${t("edit")} ${name}` : t("create")}>
			<h1>{editing ? `${t("edit")} ${name}` : t("create")}</h1>
			<Problem text={[note, unplaced(verdict.errors)].filter(Boolean).join(" ")} />
			{editing && (
				<p id="locked-note" class="hint">
					{t("locked")}
				</p>
			)}
			<Fields d={d} set={set} errors={verdict.errors} locked={editing} />
			<Advanced d={d} set={set} errors={verdict.errors} />
			<p class="row">
				<button type="button" onClick={() => onDone(name)}>
					{t("cancel")}
				</button>
				<button type="submit" class="main" disabled={busy || !ready}>
					{t("save")}
				</button>
				<span role="status" data-verdict={verdict.state}>
					{verdict.state === "asking" ? t("checking") : verdict.state === "accepted" ? t("accepted") : ""}
				</span>
			</p>
		</form>
	)
}
