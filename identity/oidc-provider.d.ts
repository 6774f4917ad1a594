// oidc-provider's own modules: its index prints a warning on every Node.js 20, these don't.
declare module 'oidc-provider/lib/provider.js' {
  export { Provider } from 'oidc-provider';
}
declare module 'oidc-provider/lib/helpers/errors.js' {
  import { errors } from 'oidc-provider';
  export import InvalidClient = errors.InvalidClient;
  export import InvalidClientAuth = errors.InvalidClientAuth;
  export import InvalidGrant = errors.InvalidGrant;
  export import InvalidDpopProof = errors.InvalidDpopProof;
  export import InvalidScope = errors.InvalidScope;
  export import InvalidTarget = errors.InvalidTarget;
}
declare module 'oidc-provider/lib/helpers/interaction_policy/index.js' {
  import { interactionPolicy } from 'oidc-provider';
  export import Check = interactionPolicy.Check;
  export import base = interactionPolicy.base;
}
