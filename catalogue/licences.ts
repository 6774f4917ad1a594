// Licences of data (CKAN's license_list) and how sources' words and links are read into them.

export interface DataLicence {
  id: string;
  title: string;
  url: string;
  isOpen: boolean;
}

export const dataLicences: readonly DataLicence[] = [
  {
    id: 'cc-by',
    title: 'Creative Commons Attribution 4.0',
    url: 'https://creativecommons.org/licenses/by/4.0/',
    isOpen: true,
  },
  {
    id: 'cc-zero',
    title: 'Creative Commons CC0 1.0',
    url: 'https://creativecommons.org/publicdomain/zero/1.0/',
    isOpen: true,
  },
  {
    id: 'odc-by',
    title: 'Open Data Commons Attribution 1.0',
    url: 'https://opendatacommons.org/licenses/by/1-0/',
    isOpen: true,
  },
  { id: 'other-closed', title: 'Other', url: '', isOpen: false },
  { id: 'notspecified', title: 'Not specified', url: '', isOpen: false },
];

const links: [RegExp, string][] = [
  [/creativecommons\.org\/licenses\/by\/|^cc[- ]by([- ]4\.0)?$/i, 'cc-by'],
  [/creativecommons\.org\/publicdomain\/zero|^cc[- ]?(0|zero)([- ]1\.0)?$/i, 'cc-zero'],
  [/opendatacommons\.org\/licenses\/by/i, 'odc-by'],
];

/** The licence behind a source's words; its own title or link is kept where the list has none. */
export function readLicence(words: string | null): DataLicence {
  const id = words === null ? 'notspecified' : links.find(([pattern]) => pattern.test(words))?.[1];
  const known = dataLicences.find((licence) => licence.id === (id ?? words));
  if (known) return known;
  const said = words ?? '';
  const isLink = /^https?:\/\//.test(said);
  return {
    id: 'other-closed',
    title: isLink ? 'Other' : said,
    url: isLink ? said : '',
    isOpen: false,
  };
}
