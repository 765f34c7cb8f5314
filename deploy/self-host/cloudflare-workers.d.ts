/** The part of the platform's module that the executable uses. */
declare module "cloudflare:workers" {
  /** `null`: start.sh did not start the process. */
  export const env: { readonly started: string | null };
}
