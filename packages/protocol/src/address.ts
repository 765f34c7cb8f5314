/**
 * Addresses of durable objects: the receivers of messages.
 *
 * Owns: the kinds, and the form in which rows store an address. The address of a run is stored as its id alone, because
 * rows that only knew runs did so (VER1). Addresses of other kinds are stored as objects.
 */
export type AddressKind =
  | "run"
  | "gate"
  | "gates"
  | "schedule"
  | "schedules"
  | "event"
  | "events"
  | "topic"
  | "window"
  | "job";

export interface Address {
  readonly kind: AddressKind;
  readonly name: string;
  /** The tenant of the object, if the sender belongs to the whole deployment. Otherwise it is that of the sender. */
  readonly tenantId?: string;
  /** The object belongs to the whole deployment, not to the tenant of the sender. */
  readonly scope?: "deployment";
}

/** An address in a row. A string is the id of a run. */
export type StoredAddress = string | Address;

export function readAddress(stored: StoredAddress): Address {
  return typeof stored === "string" ? { kind: "run", name: stored } : stored;
}

export function toStoredAddress(address: Address): StoredAddress {
  return address.kind === "run" && address.tenantId === undefined ? address.name : address;
}

/** Returns a string that is unique for each address. */
export function addressKey({ kind, name, tenantId, scope }: Address): string {
  if (scope !== undefined) return `${kind}/${scope}/\u0001${name}`;
  return tenantId === undefined ? `${kind}/${name}` : `${kind}/\u0001${tenantId}\u0001${name}`;
}
