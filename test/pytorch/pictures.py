"""Pictures of every kind that specs can name, drawn by chance: python pictures.py FOLDER."""

import io
import sys
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

root = Path(sys.argv[1])
random = np.random.default_rng(3)


def smooth(h, w, c):
    """Colours that change slowly, as in photographs."""
    small = Image.fromarray(random.integers(0, 256, (3, 3, 3), dtype=np.uint8))
    array = np.asarray(small.resize((w, h), Image.Resampling.BICUBIC))
    return array if c == 3 else array[..., 0]


def save(path, image, **options):
    path = root / path
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)


noise = lambda *shape, top=256: random.integers(0, top, shape, dtype=np.uint8)  # noqa: E731
for i in range(6):
    save(f"colour/{i}.png", Image.fromarray(noise(8, 6, 3)))
    save(f"sizes/{i}.png", Image.fromarray(noise(7 + 5 * i, 20 - 2 * i, 3)))
    save(f"grey/{i}.png", Image.fromarray(noise(8, 6)))
    save(f"deep/{i}.png", Image.fromarray(random.integers(0, 65536, (8, 6), dtype=np.uint16)))
    save(f"photos/p/{i}.jpg", Image.fromarray(smooth(16 + i, 24, 3)), quality=90, subsampling=i % 3)
    save(f"photos/q/{i}.webp", Image.fromarray(smooth(20, 12 + i, 3)), quality=80)
    save(f"photos/r/{i}.JPEG", Image.fromarray(smooth(16, 16, 1)), quality=70)
    palette = Image.fromarray(noise(8, 6, top=5), "P")
    palette.putpalette(noise(256 * 3).tolist())
    save(f"palette/{i}.png", palette)
    save(f"masks/{i}.png", Image.fromarray(np.where(random.random((8, 6)) < 0.1, 255, noise(8, 6, top=5)).astype("u1")))
    save(f"bits/{i}.png", Image.fromarray(random.random((8, 6)) < 0.5))
    save(f"broken/{i}.png", Image.fromarray(noise(8, 6, 3)))
path = root / "broken" / "2.png"
path.write_bytes(path.read_bytes()[:60] + b"no picture")
with tarfile.open(root / "set-0.tar", "w") as one, tarfile.open(root / "set-1.tar", "w") as two:
    for i in range(7):
        archive = one if i < 4 else two
        picture = io.BytesIO()
        Image.fromarray(noise(10, 9, 3)).save(picture, "PNG")
        entries = {"png": picture.getvalue(), "cls": str(i % 3).encode(), "json": f"[{i}, {i / 2}]".encode()}
        if i == 2:
            del entries["json"]
        for ending, data in entries.items():
            info = tarfile.TarInfo(f"{'a long folder name ' * 6}/s{i:02d}.{ending}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
