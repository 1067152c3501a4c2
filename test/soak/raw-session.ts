/**
 * A session of 2025-11-25 without a client's good manners: it sends the same id twice at once, and counts what comes back.
 */

/** A session over HTTP. */
export class RawSession {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  private constructor(url: string, headers: Readonly<Record<string, string>>) {
    this.#url = url;
    this.#headers = headers;
  }

  /** Begins one. */
  static async open(url: string, token: string): Promise<RawSession> {
    const headers = {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    };
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "raw", version: "1" } };
    const body = JSON.stringify({ jsonrpc: "2.0", id: 0, method: "initialize", params });
    const response = await fetch(url, { method: "POST", headers, body });
    await response.text();
    return new RawSession(url, { ...headers, "mcp-session-id": response.headers.get("mcp-session-id") ?? "" });
  }

  /** Posts a call of `echo` and returns the status, and the messages that came. */
  async call(id: number, mark: string): Promise<{ readonly status: number; readonly messages: readonly string[] }> {
    const body = JSON.stringify({
      jsonrpc: "2.0",
      id,
      method: "tools/call",
      params: { name: "echo", arguments: { mark } },
    });
    const response = await fetch(this.#url, { method: "POST", headers: this.#headers, body });
    const text = await response.text();
    const messages = text.split("\n").filter((line) => line.startsWith("data: "));
    return { status: response.status, messages };
  }
}

/**
 * Sends each id twice at once: one is answered with its own answer, the other as well or with 400; never both with the same.
 *
 * @param isOver - Ends it.
 * @param onFault - Takes what must not happen.
 */
export async function checkDuplicates(
  session: RawSession,
  isOver: () => boolean,
  onFault: (fault: string) => void,
): Promise<void> {
  for (let id = 1; !isOver(); id++) {
    const marks = [`first-${id}`, `second-${id}`];
    const answers = await Promise.all(marks.map((mark) => session.call(id, mark)));
    for (const [index, { status, messages }] of answers.entries()) {
      const isOwn = messages.length === 1 && messages[0]?.includes(`"mark":"${marks[index]}"`) === true;
      const isRefused = status === 400 && messages.length === 0;
      if (!isOwn && !isRefused) onFault(`id ${id} twice: ${status} ${messages.join(" ").slice(0, 300)}`);
    }
    await Bun.sleep(20);
  }
}
