import { describe, expect, test } from "bun:test";
import { formatAddress, isSameAddress, kindOf, parseAddress } from "../../lib/policy/address.ts";

const kind = (text: string): string => {
  const address = parseAddress(text);
  return address === undefined ? "no address" : kindOf(address);
};

describe("parseAddress()", () => {
  test.each([
    ["0.0.0.0", "0.0.0.0"],
    ["255.255.255.255", "255.255.255.255"],
    ["::", "[::]"],
    ["::1", "[::1]"],
    ["1::", "[1::]"],
    ["[2001:DB8:0:0:8:800:200C:417A]", "[2001:db8::8:800:200c:417a]"],
    ["::ffff:192.0.2.1", "[::ffff:c000:201]"],
    ["64:ff9b::192.0.2.33", "[64:ff9b::c000:221]"],
    ["1:2:3:4:5:6:7::", "[1:2:3:4:5:6:7:0]"],
    ["1:0:0:2:0:0:0:3", "[1:0:0:2::3]"],
    ["0:0:1:0:0:1:0:0", "[::1:0:0:1:0:0]"],
    ["1:2:3:4:5:6:1.2.3.4", "[1:2:3:4:5:6:102:304]"],
  ])("reads %s, written as %s", (text, written) => {
    const address = parseAddress(text);
    expect(address && formatAddress(address)).toBe(written);
  });

  test.each([
    ["", "nothing"],
    ["1.2.3", "three parts"],
    ["1.2.3.4.5", "five parts"],
    ["1.2.3.256", "a part over a byte"],
    ["01.2.3.4", "what C reads as octal"],
    ["0177.0.0.1", "octal"],
    ["0x7f.0.0.1", "hexadecimal"],
    ["2130706433", "one number"],
    ["127.1", "a short form"],
    ["1.2.3.4 ", "a space"],
    ["1.2.3.4.", "a trailing dot"],
    ["+1.2.3.4", "a sign"],
    ["[1.2.3.4]", "IPv4 in brackets"],
    ["１.2.3.4", "another script's digits"],
    ["1::2::3", "two gaps"],
    [":::", "three colons"],
    ["1:2:3:4:5:6:7", "seven groups"],
    ["1:2:3:4:5:6:7:8:9", "nine groups"],
    ["1:2:3:4:5:6:7:8::", "a gap for no group"],
    ["::1:2:3:4:5:6:7:8", "a gap in front for no group"],
    ["12345::", "five digits"],
    ["g::", "no hexadecimal"],
    [":1", "half a gap"],
    ["1:", "half a gap at the end"],
    ["1.2.3.4::", "IPv4 in front"],
    ["::1.2.3.4:1", "IPv4 in the middle"],
    ["::1.2.3.04", "octal inside"],
    ["fe80::1%eth0", "a zone"],
    ["fe80::1%25eth0", "a zone, encoded"],
    ["[fe80::1%lo]", "a zone in brackets"],
    ["[::1", "half a bracket"],
    ["0".repeat(65), "a text over the limit"],
    ["localhost", "a name"],
  ])("refuses %p: %s", (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
});

describe("kindOf()", () => {
  test.each([
    ["1.1.1.1", "public"],
    ["8.8.8.8", "public"],
    ["2606:4700::1111", "public"],
    ["0.0.0.0", "unspecified"],
    ["0.255.255.255", "unspecified"],
    ["1.0.0.0", "public"],
    ["9.255.255.255", "public"],
    ["10.0.0.0", "private"],
    ["10.255.255.255", "private"],
    ["11.0.0.0", "public"],
    ["100.63.255.255", "public"],
    ["100.64.0.0", "shared (carrier) network"],
    ["100.100.100.200", "metadata service"],
    ["100.127.255.255", "shared (carrier) network"],
    ["100.128.0.0", "public"],
    ["126.255.255.255", "public"],
    ["127.0.0.1", "loopback"],
    ["127.255.255.254", "loopback"],
    ["128.0.0.0", "public"],
    ["168.63.129.15", "public"],
    ["168.63.129.16", "metadata service"],
    ["169.253.255.255", "public"],
    ["169.254.0.1", "link-local"],
    ["169.254.169.254", "metadata service"],
    ["169.255.0.0", "public"],
    ["172.15.255.255", "public"],
    ["172.16.0.0", "private"],
    ["172.31.255.255", "private"],
    ["172.32.0.0", "public"],
    ["192.0.0.8", "reserved"],
    ["192.0.0.192", "metadata service"],
    ["192.0.1.0", "public"],
    ["192.0.2.1", "documentation"],
    ["192.88.99.1", "reserved"],
    ["192.167.255.255", "public"],
    ["192.168.0.0", "private"],
    ["192.168.255.255", "private"],
    ["192.169.0.0", "public"],
    ["198.17.255.255", "public"],
    ["198.18.0.0", "benchmark"],
    ["198.19.255.255", "benchmark"],
    ["198.20.0.0", "public"],
    ["198.51.100.7", "documentation"],
    ["203.0.113.7", "documentation"],
    ["223.255.255.255", "public"],
    ["224.0.0.1", "multicast"],
    ["239.255.255.250", "multicast"],
    ["240.0.0.1", "reserved"],
    ["255.255.255.254", "reserved"],
    ["255.255.255.255", "broadcast"],
    ["::", "unspecified"],
    ["::1", "loopback"],
    ["::2", "IPv4 inside IPv6"],
    ["::127.0.0.1", "IPv4 inside IPv6"],
    ["::ffff:127.0.0.1", "IPv4 inside IPv6"],
    ["::ffff:8.8.8.8", "IPv4 inside IPv6"],
    ["::ffff:0:127.0.0.1", "IPv4 inside IPv6"],
    ["64:ff9b::10.0.0.1", "IPv4 inside IPv6"],
    ["64:ff9b:1::10.0.0.1", "IPv4 inside IPv6"],
    ["2002:7f00:1::", "IPv4 inside IPv6"],
    ["2002:a9fe:a9fe::1", "IPv4 inside IPv6"],
    ["2001:0:4136:e378:8000:63bf:3fff:fdd2", "IPv4 inside IPv6"],
    ["2606:4700::5efe:10.0.0.1", "IPv4 inside IPv6"],
    ["2606:4700::200:5efe:10.0.0.1", "IPv4 inside IPv6"],
    ["100::1", "reserved"],
    ["fbff::1", "reserved"],
    ["fc00::1", "private"],
    ["fd00::1", "private"],
    ["fd00:ec2::254", "metadata service"],
    ["fd00:ec2::253", "private"],
    ["fe00::1", "reserved"],
    ["fe80::1", "link-local"],
    ["febf::1", "link-local"],
    ["fec0::1", "private"],
    ["feff::1", "private"],
    ["ff02::1", "multicast"],
    ["2001:db8::1", "documentation"],
    ["3fff::1", "documentation"],
    ["3fff:1000::1", "public"],
    ["2001:2::1", "benchmark"],
    ["2001:20::1", "reserved"],
    ["2001:1ff::1", "reserved"],
    ["2001:200::1", "public"],
    ["3ffe::1", "reserved"],
    ["1fff::1", "reserved"],
    ["2000::1", "public"],
    ["4000::1", "reserved"],
    ["5f00::1", "reserved"],
  ])("says of %s: %s", (text, expected) => {
    expect(kind(text)).toBe(expected);
  });

  test("takes nothing that is no address for public", () => {
    expect([[], [1, 2], Array.from({ length: 17 }, () => 1)].map((bytes) => kindOf({ bytes }))).toEqual([
      "reserved",
      "reserved",
      "reserved",
    ]);
  });
});

describe("isSameAddress()", () => {
  test("does not take an address for its mapped form", () => {
    const [plain, mapped] = [parseAddress("127.0.0.1"), parseAddress("::ffff:127.0.0.1")];
    if (plain === undefined || mapped === undefined) throw new Error("these are addresses");
    expect([isSameAddress(plain, plain), isSameAddress(plain, mapped)]).toEqual([true, false]);
  });
});
