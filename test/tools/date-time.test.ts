import { afterAll, describe, expect, test } from "bun:test";
import { TestTool } from "./support/tool.ts";

const tool = new TestTool("date-time");
afterAll(() => tool[Symbol.asyncDispose]());

describe("date-time", () => {
  test("knows what time it is, of the host's clock", async () => {
    const before = Math.floor(Date.now() / 1000);
    const unix = Number(await tool.member("unix", { operation: "now" }));
    expect(unix).toBeGreaterThanOrEqual(before);
    expect(unix).toBeLessThanOrEqual(Math.ceil(Date.now() / 1000));
  });

  test("gives a time in another zone in all its parts", async () => {
    const input = {
      operation: "convert",
      time: "2026-07-04T18:00",
      zone: "America/New_York",
      to_zone: "Europe/Berlin",
    };
    expect(await tool.call(input)).toEqual({
      output: {
        iso: "2026-07-05T00:00:00+02:00",
        zone: "Europe/Berlin",
        abbreviation: "CEST",
        isDaylightSaving: true,
        unix: Date.parse("2026-07-04T22:00:00Z") / 1000,
        weekday: "Sunday",
        isoWeek: "2026-W27",
        dayOfYear: 186,
      },
    });
  });

  // The engine that runs the test has its own copy of the zones.
  test.each(["Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Sao_Paulo"])(
    "agrees with ICU on %s, from 1975 to 2036",
    async (zone) => {
      for (let year = 1975; year <= 2036; year += 6) {
        const at = Date.UTC(year, (year * 5) % 12, 15, 12);
        const time = new Date(at).toISOString();
        const format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
        const iso = String(await tool.member("iso", { operation: "convert", time, to_zone: zone }));
        expect(iso.slice(0, 19).replace("T", " ")).toBe(format.format(at));
      }
    },
  );

  test.each([
    ["2026-01-31", "P1M", "2026-02-28T00:00:00+00:00", "UTC"],
    ["2024-02-29", "P1Y", "2025-02-28T00:00:00+00:00", "UTC"],
    ["2026-03-28T12:00", "P1D", "2026-03-29T12:00:00+02:00", "Europe/Berlin"],
    ["2026-03-28T12:00", "PT24H", "2026-03-29T13:00:00+02:00", "Europe/Berlin"],
    ["2026-11-27T00:00:00Z", "-P1W", "2026-11-20T00:00:00+00:00", "UTC"],
  ])("%s plus %s is %s", async (...[time, duration, iso, zone]) => {
    expect(await tool.member("iso", { operation: "add", time, duration, zone })).toBe(iso);
  });

  test("measures between two times, whichever is first", async () => {
    const difference = { seconds: 33_102_000, days: 383.125, duration: "P1Y0M18DT3H0M0S" };
    const [time, until] = ["2025-11-09T00:00", "2026-11-27T03:00"];
    expect(await tool.call({ operation: "difference", time, until })).toMatchObject({
      output: { ...difference, isBack: false },
    });
    expect(await tool.call({ operation: "difference", time: until, until: time })).toMatchObject({
      output: { seconds: -33_102_000, duration: "-P1Y0M18DT3H0M0S", isBack: true },
    });
  });

  test("finds zones by a part of their names", async () => {
    expect(await tool.member("zones", { operation: "zones", text: "new york" })).toEqual(["America/New_York"]);
  });

  test.each([
    [{ operation: "convert", time: "2026-02-30" }, 'there is no such time: "2026-02-30"'],
    [
      { operation: "convert", time: "tomorrow" },
      'a time must be like 2026-11-27, 2026-11-27T14:30 or 2026-11-27T14:30:00+01:00, not "tomorrow"',
    ],
    [{ operation: "now", zone: "berlin" }, 'there is no time zone "berlin": did you mean Europe/Berlin?'],
    [{ operation: "convert", time: "2060-01-01" }, "the time zones are known from 1970 to 2050, and this is in 2060"],
    [
      { operation: "add", time: "2026-01-01", duration: "1 day" },
      '"duration" must be an ISO 8601 duration such as P1M2DT3H, or -P1W',
    ],
  ])("says what is wrong with %j", async (input, error) => {
    expect(await tool.call(input)).toEqual({ error });
  });
});
