import polars as pl
from synthetic_data.administration.scene import FRAMES, Scene
from synthetic_data.frames import SCHEMAS


def plant(scene: Scene, frames: FRAMES) -> FRAMES:
    return {"planted": pl.DataFrame(schema=SCHEMAS["planted"])}
