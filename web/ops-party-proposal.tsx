// The form that proposes a change of a relying party: one page for each kind, with its fields.
import type { PartyProposal, RelyingParty } from '../identity/index.ts';
import {
  type ClientFields,
  Department,
  type Departments,
  KeysField,
  OldKeysField,
  ProposalForm,
  type ProposalProps,
  placesIn,
} from './ops-proposal-form.tsx';
import { Field } from './page.tsx';
import { TextArea } from './text-area.tsx';

interface PartyProposalProps extends ProposalProps {
  kind: PartyProposal['kind'];
  /** Absent while there is none yet. */
  party?: RelyingParty | undefined;
}

export function PartyProposalPage(props: PartyProposalProps) {
  const { c, kind, party, departments } = props;
  const isNew = kind === 'register_party';
  const fields = placesIn(props);
  return (
    <ProposalForm
      {...props}
      at="/ops/parties"
      title={c.get('text').clients.kinds[kind]}
      of={party?.id}
    >
      {isNew ? <Identity {...fields} departments={departments} /> : null}
      {isNew || kind === 'change_party_addresses' ? <Addresses {...fields} /> : null}
      {isNew || kind === 'change_party_keys' ? <KeysField {...fields} /> : null}
      {kind === 'change_party_keys' ? <OldKeysField {...fields} /> : null}
    </ProposalForm>
  );
}

function Identity(props: ClientFields & Departments) {
  const { c, values, errors } = props;
  const words = c.get('text').parties;
  return (
    <>
      <Department {...props} />
      {(['nameZh', 'nameEn'] as const).map((name) => (
        <Field
          name={name}
          label={words[name]}
          value={values[name]}
          required={true}
          errors={errors}
        />
      ))}
    </>
  );
}

function Addresses({ c, values, errors }: ClientFields) {
  const words = c.get('text').parties;
  return (
    <>
      <TextArea
        name="redirectUris"
        label={words.redirectUris}
        hint={words.redirectHint}
        value={values.redirectUris}
        rows={3}
        required={true}
        errors={errors}
      />
      <TextArea
        name="postLogoutRedirectUris"
        label={words.postLogoutRedirectUris}
        hint={words.postLogoutHint}
        value={values.postLogoutRedirectUris}
        rows={2}
        errors={errors}
      />
      <Field
        name="backchannelLogoutUri"
        label={words.backchannelLogoutUri}
        hint={words.backchannelHint}
        value={values.backchannelLogoutUri}
        errors={errors}
      />
    </>
  );
}
