/**
 * Samples: pictures cut out of the grids they come in, each with its captions, side by side where several
 * modalities of one sample can be seen.
 *
 * @module
 */
import type { Html } from '../../compiler/docs/html.js';
import { markup } from '../../compiler/docs/html.js';
import type { SampleImage, TaskSamples } from './model.js';

/** Pictures are enlarged by a whole factor to about this many pixels. */
const SHOWN = 96;

export function sampleSection(tasks: readonly TaskSamples[]): Html {
  return markup`<section id="samples">
    <h2>Samples</h2>
    ${tasks.map(taskSamples)}
  </section>`;
}

function taskSamples(task: TaskSamples, index: number): Html {
  const names = (list: readonly string[]) => markup`<b>${list.join(', ')}</b>`;
  const what =
    task.given.length === 0
      ? markup`${names(task.produced)} together`
      : markup`${names(task.produced)} given ${names(task.given)}`;
  return markup`<article class="task">
    <header>
      <h3>${task.task}</h3>
      <p>${what}</p>
      <p class="quiet">${task.caption}</p>
    </header>
    ${together(task.images).map((images, i) => sheet(task, images, `s${index}-${i}`))}
  </article>`;
}

/** Grids of as many pictures show the same samples: they are shown together. */
function together(images: readonly SampleImage[]): SampleImage[][] {
  const groups = new Map<number, SampleImage[]>();
  for (const image of images) {
    const n = pictureCount(image);
    groups.set(n, [...(groups.get(n) ?? []), image]);
  }
  return [...groups.values()];
}

function pictureCount({ grid }: SampleImage): number {
  return grid === undefined ? 1 : (grid.count ?? grid.columns * grid.rows);
}

/** Every file is in the page once; pictures refer to it. */
function sheet(task: TaskSamples, images: readonly SampleImage[], id: string): Html {
  const parts = images.map((image, i) => ({ image, id: `${id}-${i}`, ...pngSize(image) }));
  const named = images.length > 1 || images.some((image) => task.given.includes(image.name));
  const cells = Array.from({ length: pictureCount(images[0]) }, (_, i) => {
    const captions = images.flatMap((image) => image.captions?.[i] ?? []);
    const pictures = parts.map(({ image, ...file }) => {
      const { x, y, width, height } = cut(image, file, i);
      const scale = Math.max(1, Math.round(SHOWN / Math.max(width, height)));
      const label = `${image.name} ${i + 1}${captions.length > 0 ? `: ${captions.join('; ')}` : ''}`;
      const role = task.given.includes(image.name) ? `${image.name}, given` : image.name;
      return markup`<div>
        <svg
          role="img"
          aria-label="${label}"
          viewBox="${x} ${y} ${width} ${height}"
          width="${width * scale}"
          height="${height * scale}"
        >
          <use href="#${file.id}" />
        </svg>
        ${named ? markup`<span class="quiet">${role}</span>` : undefined}
      </div>`;
    });
    return markup`<li>
      <figure>
        <div class="pictures">${pictures}</div>
        ${captions.map((c) => markup`<figcaption>${c}</figcaption>`)}
      </figure>
    </li>`;
  });
  const files = parts.map(
    ({ image, id: file, width, height }) =>
      markup`<image
        id="${file}"
        width="${width}"
        height="${height}"
        href="data:image/png;base64,${Buffer.from(image.png).toString('base64')}"
      />`,
  );
  return markup`<svg class="files" width="0" height="0" aria-hidden="true"><defs>${files}</defs></svg>
    <p class="quiet">${images.map((image) => image.alt).join(' ')}</p>
    <ul class="cells">
      ${cells}
    </ul>`;
}

/** Where picture `i` lies in its file, in pixels. */
function cut(image: SampleImage, file: { width: number; height: number }, i: number) {
  const { columns, rows, gap } = image.grid ?? { columns: 1, rows: 1, gap: 0 };
  const width = (file.width - gap * (columns + 1)) / columns;
  const height = (file.height - gap * (rows + 1)) / rows;
  const x = gap + (i % columns) * (width + gap);
  const y = gap + Math.floor(i / columns) * (height + gap);
  return { x, y, width, height };
}

/**
 * Width and height from the header of a PNG file (PNG specification, 11.2.2 IHDR).
 * @throws RangeError when it is not a PNG file
 */
function pngSize({ png, name }: SampleImage): { width: number; height: number } {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  if (png.length < 24 || view.getUint32(0) !== 0x89504e47)
    throw new RangeError(`the picture of ${name} is not a PNG file`);
  return { width: view.getUint32(16), height: view.getUint32(20) };
}
