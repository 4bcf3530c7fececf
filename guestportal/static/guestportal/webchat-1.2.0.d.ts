/** Types of webchat.js 1.2.0. */

export const version: "1.2.0";

/** Codes the service answers with, and the client's own for what never got an answer. */
export type WebchatErrorCode =
  | "invalid_request"
  | "consent_declined"
  | "origin_not_allowed"
  | "identity_required"
  | "not_found"
  | "method_not_allowed"
  | "not_acceptable"
  | "in_progress"
  | "too_large"
  | "unsupported_media_type"
  | "idempotency_mismatch"
  | "rate_limited"
  | "platform_rejected"
  | "platform_credentials"
  | "platform_protocol"
  | "platform_busy"
  | "platform_unavailable"
  | "storage_unavailable"
  | "overloaded"
  | "platform_timeout"
  /** No answer: offline, or this page's origin is not in CORS_ALLOWED_ORIGINS. */
  | "network"
  /** No answer within `timeout`. */
  | "timeout"
  /** Your `signal` was aborted. */
  | "aborted"
  /** An answer that is not the service's: a proxy's error page. */
  | "bad_answer"
  /** `close()` or `withdraw()` came first. */
  | "closed"
  /** The Messenger of the page did not take what it was handed, or is not there. */
  | "messenger";

export class WebchatError extends Error {
  readonly name: "WebchatError";
  readonly code: WebchatErrorCode;
  /** HTTP status; 0 where there was no answer. */
  readonly status: number;
  /** Quote it to whoever runs the service. */
  readonly requestId?: string;
  /** Seconds after which another try makes sense. */
  readonly retryAfter?: number;
  /** What is wrong with the request, by field. */
  readonly fields?: Record<string, string[]>;
}

export interface CallOptions {
  /** Address of the service, such as "https://chat.example.com". */
  endpoint: string;
  /** Milliseconds for the whole call, every try included. Default 20,000. */
  timeout?: number;
  /** Tries, the first included. Default 3. */
  tries?: number;
  /** Abandons the call. It does not reach the renewals that follow: `close()` ends those. */
  signal?: AbortSignal;
  /** Used instead of `window.fetch`. */
  fetch?: typeof fetch;
}

export interface SessionOptions extends CallOptions {
  /** 1 to 256 characters. Only its hash is used. Default for `init`: `crypto.randomUUID()`. */
  session?: string;
  /** Hex HMAC-SHA-256 of the session id from your backend, or a function that asks it for one. */
  signature?: string | ((session: string) => string | Promise<string>);
}

export interface NoticeOptions extends CallOptions {
  /** The reader's language, a BCP 47 tag. Default: that of the page, `<html lang>`. */
  language?: string;
}

/** A published privacy notice; `version` and `language` are what `init` takes. */
export interface Notice {
  version: string;
  language: string;
  /** Plain text; paragraphs are parted by blank lines. */
  text: string;
  /** Of `text` in UTF-8, hexadecimal. */
  sha256: string;
  purposes: string[];
  /** ISO 8601. */
  effectiveFrom: string;
}

export interface InitOptions extends SessionOptions {
  /** What the visitor decided. There is no default. */
  consent: boolean;
  /** Default of the service: "explicit". */
  consentType?: "explicit" | "implicit";
  /** Which privacy notice the visitor saw, 1 to 64 characters. */
  noticeVersion?: string;
  /** The notice's language, a BCP 47 tag. */
  language?: string;
  /** Called with the first token and with each renewed one. */
  onToken?: (accessToken: string, expiresAt: string) => void;
  /** Called when a renewal in the background failed. */
  onError?: (error: WebchatError) => void;
}

export interface CrmAttributes {
  email?: string;
  firstName?: string;
  tier?: string;
  previousTickets?: number;
}

/** What a page needs where the platform is Messenger. It names the visitor to the flow, and no more. */
export interface Messenger {
  deploymentId: string;
  /** As in the deployment's snippet. */
  environment: string;
  /** For a socket of your own. */
  socketUrl: string;
  customAttributes: { guestportal_guest_id: string; guestportal_consent: "given" | "declined" };
}

/** The command queue that the vendor's snippet makes. */
export type Genesys = (kind: "command" | "subscribe", name: string, ...rest: unknown[]) => unknown;

export interface Chat {
  readonly session: string;
  readonly guestId: string;
  readonly crmAttributes: CrmAttributes;
  /** Absent on the Guest API, as is `messenger`. */
  readonly platform?: "messenger";
  readonly messenger?: Messenger;
  /** The token as it is now; undefined once the chat has ended. */
  readonly accessToken?: string;
  /** ISO 8601; undefined once the chat has ended. */
  readonly expiresAt?: string;
  /** A token that has not ended: renewed first where it is time. Rejects with WebchatError. */
  token(): Promise<string>;
  /**
   * Hands `messenger.customAttributes` to the stock Messenger, by `window.Genesys`, which may still
   * be the queue of its snippet. Resolves when it has them. Rejects with `messenger` where it refuses
   * them or is not there within `timeout`. From then on a withdrawal ends its conversation too.
   */
  handToMessenger(genesys?: Genesys): Promise<void>;
  /**
   * Opens the session on a socket of your own, now or when that opens. A withdrawal then ends the
   * session too. Send `messenger.customAttributes` with each message.
   */
  handToSocket(socket: WebSocket): void;
  /** Takes consent back and ends the chat. Resolves to the number of guests withdrawn. */
  withdraw(): Promise<number>;
  /** Forgets the token and stops renewing it. */
  close(): void;
}

/** The notice to show before anything is asked. Rejects with WebchatError, `not_found` where none is. */
export function notice(options: NoticeOptions): Promise<Notice>;

/** Rejects with WebchatError, or TypeError where `consent` is neither true nor false. */
export function init(options: InitOptions): Promise<Chat>;

/** Takes a session's consent back where its Chat is gone, after a reload for example. */
export function withdraw(options: SessionOptions & { session: string }): Promise<number>;
