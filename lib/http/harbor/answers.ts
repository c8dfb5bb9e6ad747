// Answers of the management API, with the exact codes and headers that Harbor's clients insist on.
import type { HttpResponse } from '../message.ts'

export function answer(status: number, value: unknown, headers: Record<string, string> = {}): HttpResponse {
  return {
    status,
    headers: { 'Content-Type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(value),
  }
}

/** 200 without a body: Harbor answers no 204. */
export function done(): HttpResponse {
  return { status: 200, headers: {}, body: '' }
}

/** @param path below /api/v2.0: clients cut the resource's id out of it */
export function created(path: string, value?: unknown): HttpResponse {
  const headers = { Location: `/api/v2.0${path}` }
  return value === undefined ? { status: 201, headers, body: '' } : answer(201, value, headers)
}

/** As Harbor writes times. */
export function time(epochMs: number): string {
  return new Date(epochMs).toISOString()
}
