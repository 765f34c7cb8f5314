/**
 * Stands for a payment service and a carrier. Call your own here, and pass the key on: a step that a crash interrupts
 * executes again with the same key, and a service that knows the key does not act twice.
 */

export interface Payment {
  readonly paymentId: string;
}

export async function charge(orderId: string, cents: number, key: string): Promise<Payment> {
  console.log(`charge ${cents} cents for ${orderId} (${key})`);
  return { paymentId: `payment-${orderId}` };
}

export async function refund({ paymentId }: Payment): Promise<void> {
  console.log(`refund ${paymentId}`);
}

export async function ship(orderId: string, key: string): Promise<string> {
  console.log(`ship ${orderId} (${key})`);
  return `parcel-${orderId}`;
}
