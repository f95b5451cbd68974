// SPDX-License-Identifier: Apache-2.0
// What the API server and the webhook say of a subnet, by the field that they mean. No rule stands here: they have them.

export interface FieldErrors {
	fields: Record<string, string> // "spec.ranges[0].rangeStart"
	general: string[]
}

const FIELD = /(?:^|, |; )((?:spec|metadata)(?:\.[A-Za-z0-9]+|\[\d+\])*): /g
// A schema's refusal has the whole pattern in it.
const SCHEMA = /^Invalid value: (.*?): \S+ in body (should .*)$/s

function shorten(text: string): string {
	const schema = SCHEMA.exec(text)
	if (!schema) return text
	const rule = schema[2] ?? ""
	return rule.startsWith("should match") ? `${schema[1]} has not the right form` : `${schema[1]} ${rule}`
}

export function readErrors(message: string): FieldErrors {
	const out: FieldErrors = { fields: {}, general: [] }
	let text = message.replace(/^(POST|PATCH|DELETE) \S+: /, "")
	text = text.replace(/^.*denied the request: /s, "").replace(/^\S+ "[^"]*" is invalid: /, "")
	if (text.startsWith("[")) text = text.slice(1).replace(/\]$/, "")
	const found = [...text.matchAll(FIELD)]
	if (!found.length || found[0]?.index !== 0) return { fields: {}, general: [text] }
	found.forEach((m, i) => {
		const said = shorten(text.slice(m.index + m[0].length, found[i + 1]?.index))
		const field = m[1] ?? ""
		out.fields[field] = out.fields[field] ? `${out.fields[field]}; ${said}` : said
	})
	return out
}
