/** What the guest's engine provides for the interfaces of its world. */
declare module "kami:tool/host@0.1.0" {
  export function log(level: string, message: string): void;
}

declare module "wasi:cli/environment@0.2.12" {
  export function getEnvironment(): [name: string, value: string][];
}
