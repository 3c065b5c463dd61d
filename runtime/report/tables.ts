/**
 * The sections that are tables: metrics, parameters, settings.
 *
 * @module
 */
import { count, figure } from '../../compiler/docs/figures.js';
import type { Html } from '../../compiler/docs/html.js';
import { markup } from '../../compiler/docs/html.js';
import type { Metric, ParameterInfo } from './model.js';

export function metricSection(metrics: readonly Metric[]): Html {
  return markup`<section id="metrics">
    <h2>Metrics</h2>
    <div class="scroll">
      <table class="figures">
        <thead>
          <tr>
            <th scope="col">Metric</th>
            <th scope="col">Value</th>
            <th scope="col">Rows</th>
            <th scope="col" class="text">How</th>
          </tr>
        </thead>
        <tbody>
          ${metrics.map(
            (m) =>
              markup`<tr>
                <th scope="row">${m.name}</th>
                <td><b>${figure(m.value)}</b></td>
                <td>${m.count === undefined ? '' : count(m.count)}</td>
                <td class="text">${m.note}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

/** How many numbers each part of the model has learned, and every tensor on request. */
export function parameterSection(parameters: readonly ParameterInfo[]): Html {
  const total = parameters.reduce((sum, p) => sum + p.count, 0);
  const owners = new Map<string, number>();
  for (const p of parameters) owners.set(owner(p.name), (owners.get(owner(p.name)) ?? 0) + p.count);
  return markup`<section id="parameters">
    <h2>Parameters</h2>
    <div class="scroll">
      <table class="figures">
        <caption>
          ${count(total)} in ${count(parameters.length)} tensors
        </caption>
        <thead>
          <tr>
            <th scope="col">Part</th>
            <th scope="col">Parameters</th>
            <th scope="col">Share</th>
            <th scope="col" class="text"><span class="unseen">Share as a bar</span></th>
          </tr>
        </thead>
        <tbody>
          ${[...owners].map(([name, n]) => {
            const share = total === 0 ? 0 : (100 * n) / total;
            return markup`<tr>
              <th scope="row">${name}</th>
              <td>${count(n)}</td>
              <td>${share.toFixed(1)} %</td>
              <td class="text">${bar(share)}</td>
            </tr>`;
          })}
        </tbody>
      </table>
    </div>
    <details>
      <summary>Every tensor</summary>
      <div class="scroll">
        <table class="figures">
          <thead>
            <tr>
              <th scope="col">Tensor</th>
              <th scope="col">Shape</th>
              <th scope="col">Parameters</th>
            </tr>
          </thead>
          <tbody>
            ${parameters.map(
              (p) =>
                markup`<tr>
                  <th scope="row"><code>${p.name}</code></th>
                  <td>${p.shape.length === 0 ? 'scalar' : p.shape.join(' × ')}</td>
                  <td>${count(p.count)}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </details>
  </section>`;
}

export function settingSection(settings: readonly (readonly [string, string])[]): Html {
  return markup`<section id="settings">
    <h2>Settings</h2>
    <p class="quiet">What was in force, defaults included.</p>
    <dl class="settings">
      ${settings.map(
        ([key, value]) =>
          markup`<div>
            <dt>${key}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
  </section>`;
}

/** The declaration a parameter belongs to: `encoder.label.linear_1.weight` to `encoder.label`, else its first part. */
function owner(name: string): string {
  const [first, second, ...rest] = name.split('.');
  return (first === 'encoder' || first === 'decoder') && rest.length > 0 ? `${first}.${second}` : first;
}

function bar(percent: number): Html {
  return markup`<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
    <rect class="all" width="100" height="6" />
    <rect width="${percent.toFixed(2)}" height="6" />
  </svg>`;
}
