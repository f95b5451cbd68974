// SPDX-License-Identifier: Apache-2.0
// Addresses as numbers, for the grid. The server has checked them all.

import type { Run } from "./api"

export function toNumber(text: string): bigint {
	if (!text.includes(":")) return text.split(".").reduce((n, b) => n * 256n + BigInt(b), 0n)
	const halves = text.split("::").map((h) => (h ? h.split(":") : []))
	const head = halves[0] ?? []
	const tail = halves[1] ?? []
	const words = [...head, ...Array<string>(halves.length > 1 ? 8 - head.length - tail.length : 0).fill("0"), ...tail]
	return words.reduce((n, w) => n * 65536n + BigInt("0x" + w), 0n)
}

// RFC 5952: the first of the longest runs of zeros, from two on, becomes "::".
function toText6(n: bigint): string {
	const words = Array.from({ length: 8 }, (_, i) => (n >> BigInt(112 - 16 * i)) & 0xffffn)
	let from = -1
	let len = 1
	for (let i = 0; i < 8; i++) {
		let k = i
		while (k < 8 && words[k] === 0n) k++
		if (k - i > len) [from, len] = [i, k - i]
	}
	const hex = (part: bigint[]) => part.map((w) => w.toString(16)).join(":")
	return from < 0 ? hex(words) : `${hex(words.slice(0, from))}::${hex(words.slice(from + len))}`
}

export function toText(n: bigint, six: boolean): string {
	if (six) return toText6(n)
	return [24n, 16n, 8n, 0n].map((s) => (n >> s) & 255n).join(".")
}

export interface Cell {
	address: string
	given: boolean
}

export const countCells = (runs: Run[]): number =>
	runs.reduce((sum, [first, last]) => sum + Number(toNumber(last) - toNumber(first)) + 1, 0)

// The cells from..from+count-1 of all runs together.
export function cellsOf(runs: Run[], from: number, count: number): Cell[] {
	const cells: Cell[] = []
	let skip = from
	for (const [first, last, given] of runs) {
		const begin = toNumber(first)
		const n = Number(toNumber(last) - begin) + 1
		for (let i = skip; i < n && cells.length < count; i++)
			cells.push({ address: toText(begin + BigInt(i), first.includes(":")), given })
		skip = Math.max(0, skip - n)
	}
	return cells
}
