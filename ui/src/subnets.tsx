// SPDX-License-Identifier: Apache-2.0
// The subnets and how full they are, and one of them with all its addresses.

import { Fragment, h } from "preact"
import { useEffect, useState } from "preact/hooks"
import { deleteSubnet, getSubnet, type Subnets } from "./api"
import { LastConflicts, List, useAddresses } from "./addresses"
import { Grid } from "./grid"
import { t } from "./i18n"
import { Bar, Dialog, go, Problem, say, State, Table } from "./parts"

export function SubnetsView({ all, error, again }: { all: Subnets | undefined; error: string | undefined; again: () => void }) {
	return (
		<div>
			<h1>
				{t("subnets")}
				<button type="button" onClick={again}>
					{t("refresh")}
				</button>
				<button type="button" class="main" onClick={() => go("create")}>
					{t("create")}
				</button>
			</h1>
			<Problem text={error} />
			{!all && !error && <p>{t("loading")}</p>}
			{all && !all.items.length && <p>{t("noSubnets")}</p>}
			{all && all.items.length > 0 && (
				<Table
					label={t("subnets")}
					columns={[
						{
							head: "name",
							cell: (s) => (
								<button type="button" class="link" onClick={() => go("subnet", s.name)}>
									{s.name}
								</button>
							),
						},
						{ head: "master", cell: (s) => s.master ?? "" },
						{ head: "vlan", cell: (s) => s.vlan ?? "" },
						{ head: "cidr", cell: (s) => s.cidr ?? "" },
						{ head: "gateway", cell: (s) => s.gateway ?? "" },
						{ head: "use", cell: (s) => <Bar s={s} /> },
						{ head: "total", cell: (s) => s.total },
						{ head: "used", cell: (s) => s.used },
						{ head: "free", cell: (s) => s.free },
						{ head: "state", cell: (s) => <State state={s.state} /> },
						{ head: "reason", cell: (s) => s.reason ?? "" },
					]}
					rows={all.items}
					id={(s) => s.name}
				/>
			)}
		</div>
	)
}

// Whoever may be in the way is asked of the webhook, as a trial.
function Delete({ name, onClose }: { name: string; onClose: (done: boolean) => void }) {
	const [uid, setUid] = useState("")
	const [error, setError] = useState("")
	useEffect(() => {
		getSubnet(name)
			.then(async (o) => {
				await deleteSubnet(name, o.metadata.uid, true)
				setUid(o.metadata.uid)
			})
			.catch((e) => setError(say(e)))
	}, [name])
	const run = () => deleteSubnet(name, uid, false).then(() => onClose(true), (e) => (setUid(""), setError(say(e))))
	return (
		<Dialog title={`${t("delete")} ${name}`} onClose={() => onClose(false)}>
			{error ? (
				<Fragment>
					<p>{t("deleteNo")}</p>
					<Problem text={error} />
				</Fragment>
			) : (
				<p role="status">{uid ? t("deleteAsk") : t("checking")}</p>
			)}
			<p class="row">
				<button type="button" onClick={() => onClose(false)}>
					{t("cancel")}
				</button>
				<button type="button" class="bad" disabled={!uid} onClick={run}>
					{t("delete")}
				</button>
			</p>
		</Dialog>
	)
}

export function SubnetView({ name, onGone }: { name: string; onGone: () => void }) {
	const { value, error, again } = useAddresses(name)
	const [deleting, setDeleting] = useState(false)
	const s = value?.subnet
	return (
		<div>
			<h1>
				{name}
				<button type="button" onClick={again}>
					{t("refresh")}
				</button>
				<button type="button" onClick={() => go("edit", name)}>
					{t("edit")}
				</button>
				<button type="button" onClick={() => setDeleting(true)}>
					{t("delete")}
				</button>
			</h1>
			<Problem text={error} />
			{!value && !error && <p>{t("loading")}</p>}
			{s && (
				<p class="row">
					<State state={s.state} /> <span>{s.master}</span>
					<span>
						{t("vlan")} {s.vlan}
					</span>
					<span>{s.cidr}</span> <Bar s={s} />
					<span>
						{t("used")} {s.used} {t("of")} {s.total}
					</span>
					<span>{s.reason}</span>
				</p>
			)}
			{value?.subnet && <Grid key={name} data={value} />}
			{value && <LastConflicts data={value} />}
			{value && <List data={value} withSubnet={false} />}
			{deleting && (
				<Delete
					name={name}
					onClose={(done) => {
						setDeleting(false)
						if (done) onGone()
					}}
				/>
			)}
		</div>
	)
}
