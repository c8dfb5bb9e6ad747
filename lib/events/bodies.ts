// What is posted: Harbor's own format, CloudEvents as Harbor writes them, Slack's blocks, Teams' card.
import type { Attributes } from '../registry/ports.ts'
import type { Notification } from './notification.ts'
import { WEBHOOK_EVENTS } from './webhook-events.ts'
import type { WebhookTarget } from './webhook-policy.ts'

export interface Body {
  contentType: string
  text: string
}

/** Slack takes 3000 characters in a section, Teams 28 KB in a message. */
const SHOWN_CHARACTERS = 2500

export function bodyFor({ type, format }: WebhookTarget, notification: Notification): Body {
  if (type === 'slack') return json(slackMessage(notification))
  if (type === 'teams') return json(teamsMessage(notification))
  if (format === 'CloudEvents') return json(cloudEvent(notification), 'application/cloudevents+json')
  return json(harborPayload(notification))
}

function json(value: object, contentType = 'application/json'): Body {
  return { contentType, text: JSON.stringify(value) }
}

function harborPayload({ event, occurAtSeconds, operator, eventData }: Notification): object {
  return { type: event, occur_at: occurAtSeconds, operator, event_data: eventData }
}

/** CloudEvents 1.0 in its JSON format, with Harbor's extensions `operator` and `requestid`. */
function cloudEvent(notification: Notification): object {
  const { event, id, occurAtSeconds, operator, requestId, source, eventData } = notification
  return {
    specversion: '1.0',
    id,
    source,
    type: WEBHOOK_EVENTS[event],
    datacontenttype: 'application/json',
    time: secondsOf(occurAtSeconds),
    data: eventData,
    // Nobody's where a schedule began it; the value of an extension is not empty.
    ...(operator === '' ? {} : { operator }),
    requestid: requestId,
  }
}

function slackMessage({ event, occurAtSeconds, operator, eventData }: Notification): object {
  const at = secondsOf(occurAtSeconds)
  return {
    blocks: [
      '*Entrepôt webhook events*',
      `*event_type:* ${event}`,
      `*occur_at:* <!date^${occurAtSeconds}^{date} at {time}|${at}>`,
      `*operator:* ${escaped(operator)}`,
      '*event_data:*',
      `\`\`\`${escaped(shown(eventData)).replaceAll('```', "'''")}\`\`\``,
    ].map((text) => ({ type: 'section', text: { type: 'mrkdwn', text } })),
  }
}

/** Slack's control characters, so that nobody's name becomes a link or a mention. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** An Adaptive Card, as a workflow of Teams takes it from a webhook. */
function teamsMessage({ event, occurAtSeconds, operator, eventData }: Notification): object {
  const facts = [
    { title: 'event_type', value: event },
    { title: 'occur_at', value: secondsOf(occurAtSeconds) },
    { title: 'operator', value: operator },
  ]
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [
      { type: 'TextBlock', text: 'Entrepôt webhook events', weight: 'Bolder', size: 'Medium', wrap: true },
      { type: 'FactSet', facts },
      // A RichTextBlock takes its text as it is: a TextBlock would read it as Markdown.
      {
        type: 'RichTextBlock',
        inlines: [{ type: 'TextRun', text: shown(eventData), fontType: 'Monospace' }],
      },
    ],
  }
  const contentType = 'application/vnd.microsoft.card.adaptive'
  return { type: 'message', attachments: [{ contentType, contentUrl: null, content }] }
}

function shown(eventData: Attributes): string {
  const text = JSON.stringify(eventData, undefined, 2)
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text
}

/** `2023-03-06T06:08:43Z`. */
function secondsOf(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString().replace('.000Z', 'Z')
}
