/**
 * The matrix of everything that one model can be asked: a row for each question, a column for each modality.
 *
 * @module
 */
import type { Evaluation } from '../runtime/eval/model.js';

/** Main figures of a kind of modality, the first that a question has. */
const figures: Readonly<Record<string, readonly string[]>> = {
  image: ['kid'],
  mask: ['miou', 'total_variation'],
  label: ['accuracy', 'total_variation'],
  emb: ['cosine', 'frechet'],
};
const shown: Readonly<Record<string, string>> = {
  kid: 'KID',
  miou: 'mIoU',
  accuracy: 'accuracy',
  cosine: 'cosine',
  total_variation: 'TV',
  frechet: 'Fréchet',
};

const cells = (values: readonly string[]): string => `| ${values.join(' | ')} |`;

/** @param runs figures of the same questions, one for each seed */
export function matrix(runs: readonly Evaluation['tasks'][]): string[] {
  const questions = Object.keys(runs[0] ?? {});
  const columns = Object.keys(figures);
  const cell = (question: string, modality: string): string => {
    for (const name of figures[modality] as readonly string[]) {
      const values = runs.flatMap((tasks) => tasks[question]?.[`${modality}.${name}`]?.value ?? []);
      if (values.length < runs.length) continue;
      const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
      return `${shown[name]} ${mean.toPrecision(3)}`;
    }
    return '';
  };
  return [
    `Everything that the joint model can be asked, ${questions.length} questions:`,
    '',
    cells(['question', ...columns]),
    cells(['---', ...columns.map(() => '---')]),
    ...questions.map((question) =>
      cells([`\`${question}\``, ...columns.map((modality) => cell(question, modality))]),
    ),
    '',
  ];
}
