/**
 * Signature help: the parameters of the call around a place.
 *
 * @module
 */
import type { SignatureHelp } from 'vscode-languageserver-types';
import { builtins } from '../elaborate/builtins/index.js';
import type { FieldType, FormParam } from '../model/forms.js';
import { placeAt, type Place } from './context.js';
import { builtinParameter, formParameter, parameterText } from './describe.js';
import { referenceSettings } from './reference.js';
import type { Checked } from './workspace.js';

/** What can be called at a place: its parameters as they are written. */
export interface Callable {
  readonly name: string;
  readonly parameters: readonly {
    readonly name: string;
    readonly text: string;
    readonly about?: string;
    readonly optional: boolean;
  }[];
  readonly result?: string;
  readonly about?: string;
}

export function signatureHelp(checked: Checked, offset: number): SignatureHelp | undefined {
  const place = placeAt(checked, offset);
  const { call } = place;
  const callable = call && callableAt(checked, place, call.callee);
  if (!call || !callable) return undefined;
  const byName = call.name === undefined ? -1 : callable.parameters.findIndex((p) => p.name === call.name);
  const active = byName >= 0 ? byName : call.argument + (call.piped ? 1 : 0);
  const label = `${callable.name}(${callable.parameters.map((p) => p.text).join(', ')})${callable.result ? ` -> ${callable.result}` : ''}`;
  return {
    signatures: [
      {
        label,
        ...(callable.about && { documentation: { kind: 'markdown', value: callable.about } }),
        parameters: callable.parameters.map((p) => ({
          label: p.text,
          ...(p.about && { documentation: { kind: 'markdown', value: p.about } }),
        })),
      },
    ],
    activeSignature: 0,
    activeParameter: Math.min(active, Math.max(0, callable.parameters.length - 1)),
  };
}

/** What a name means where it is called: a form of the key it stands at, a network, or a function. */
export function callableAt(checked: Checked, place: Place, name: string): Callable | undefined {
  const form = formAt(checked, place, name);
  if (form)
    return {
      name,
      parameters: form.map((p) => ({
        name: p.name,
        text: formParameter(p),
        optional: p.default !== undefined,
      })),
    };
  const { project } = checked.analysis;
  const visible = project.root.scope.get(name) ?? project.prelude.get(name);
  if (visible?.declaration.kind === 'Network') {
    const { text } = visible.module;
    const { params, result, doc } = visible.declaration;
    return {
      name,
      parameters: params.map((p) => ({
        name: p.name.text,
        text: parameterText(p, text),
        optional: p.default !== undefined,
      })),
      result: text.slice(result.range.start, result.range.end),
      ...(doc && { about: doc.text }),
    };
  }
  const builtin = builtins.get(name);
  return (
    builtin && {
      name,
      parameters: builtin.params.map((p) => ({
        name: p.name,
        text: builtinParameter(p),
        about: p.about,
        optional: p.default !== undefined,
      })),
      result: builtin.result,
      about: builtin.about,
    }
  );
}

/** The parameters of a form with this name that some setting of the block around the place takes. */
function formAt(checked: Checked, { nodes, model }: Place, name: string): readonly FormParam[] | undefined {
  if (!nodes.some((node) => node.kind === 'Block')) return undefined;
  const entry = nodes.find((node) => node.kind === 'Entry');
  const observed = (model && checked.observed(model)) ?? referenceSettings();
  const fields = [...observed.settings.values(), ...referenceSettings().settings.values()].flatMap((keys) =>
    [...keys.values()]
      .filter(({ key }) => entry === undefined || key === entry.key.text)
      .map(({ field }) => field),
  );
  for (const field of fields) {
    const found = field === 'block' ? undefined : formIn(field, name);
    if (found) return found;
  }
  return undefined;
}

function formIn(field: FieldType, name: string): readonly FormParam[] | undefined {
  if (field.type !== 'form') return undefined;
  if (Object.hasOwn(field.forms, name) && name !== 'constant') return field.forms[name];
  for (const params of Object.values(field.forms)) {
    for (const param of params ?? []) {
      const found = formIn(param.field, name);
      if (found) return found;
    }
  }
  return undefined;
}
