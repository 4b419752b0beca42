#!/usr/bin/env python3
"""Makes docs/run.png anew: what the camera of the demonstration line sees, and what `castgate run` says of the first parts.

    python3 docs/picture.py [PROGRAM]

PROGRAM is target/release/castgate if it is not given. Needs Pillow and the font DejaVu Sans Mono.
"""

import pathlib
import subprocess
import sys
import tempfile

from PIL import Image, ImageDraw, ImageFont

PARTS = 14
# A moment at which a defective part is in the view.
SKIP = 42
WIDTH, LINE = 960, 20
FONT = ImageFont.truetype("DejaVuSansMono.ttf", 15)
INK = {"OK": "#8fc49a", "REJECT": "#ee8d6f"}

program = sys.argv[1] if len(sys.argv) > 1 else "target/release/castgate"


def castgate(*arguments):
    return subprocess.run([program, *arguments], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


with tempfile.TemporaryDirectory() as folder:
    config, picture = pathlib.Path(folder, "demo.yaml"), pathlib.Path(folder, "belt.png")
    config.write_text(castgate("config", "sample"))
    castgate("camera", "snap", "--config", str(config), "--out", str(picture), "--skip", str(SKIP))
    belt = Image.open(picture).convert("RGB")
said = castgate("run", "--parts", str(PARTS)).splitlines()[:PARTS]

belt = belt.resize((WIDTH, belt.height * WIDTH // belt.width))
page = Image.new("RGB", (WIDTH, belt.height + LINE * (PARTS + 1) + 36), "#121417")
page.paste(belt)
draw = ImageDraw.Draw(page)
lines = [(f"$ castgate run --parts {PARTS}", "#d0d0d0")] + [(line, INK.get(line.split()[4], "#d0d0d0")) for line in said]
for number, (line, ink) in enumerate(lines):
    draw.text((18, belt.height + 18 + number * LINE), line, font=FONT, fill=ink)
page.save(pathlib.Path(__file__).with_name("run.png"), optimize=True)
