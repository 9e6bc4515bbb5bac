# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 04 它學到什麼 · What it learnt
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/NingJing0718/hf_zh_dict/blob/main/notebooks/04_what_it_learnt.ipynb)
#
# 一個數字說不清模型會什麼。這一本給它考試：每字要幾個位元、哪裡難猜、寫得如何、是學會還是背下來、早期與練完差多少，還有它不會的。
#
# - 需要 · Needs：第 03 本練好的模型；沒有的話，這裡先用內建辭典練一個（約一分鐘）
# - 時間 · Time：CPU 上約兩分鐘 · about two minutes on a CPU
#
# *Tests with a yardstick beside each: simple models, chance, and text it has not seen.*

# %% [markdown]
# ## 準備 · Set-up
# 已經裝好就什麼也不做；在 Colab、Kaggle 上會裝上本專案與中文字型（Kaggle 請先在右側打開 Internet）。
#
# *Installs the package where it is missing.*

# %%
import importlib.util
import os
import subprocess
import sys
import sysconfig
import warnings

from IPython import get_ipython

if importlib.util.find_spec("hf_zh_dict") is None:
    package = "git+https://github.com/NingJing0718/hf_zh_dict"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", package], check=True)
    subprocess.run("apt-get -qq install -y fonts-noto-cjk > /dev/null", shell=True)
os.environ.setdefault("HF_ZH_DICT_LANG", "zh_TW")
os.environ["PATH"] = sysconfig.get_path("scripts") + os.pathsep + os.environ["PATH"]
warnings.filterwarnings("ignore", "IProgress not found")
get_ipython().system_raise_on_error = True  # 以 ! 開頭的指令失敗時就停下來

from hf_zh_dict.sharing.chinese_fonts import use_chinese_fonts

use_chinese_fonts()

# %% [markdown]
# ## 存在哪裡 · Where the run is kept
# Colab 一斷線，那台機器上的檔案就沒了，所以掛上雲端硬碟，把訓練資料夾放在那裡。Kaggle 放在 `/kaggle/working`（Session options 的 Persistence 選 Files）。自己的電腦則是這本筆記本旁邊的 `runs/`。
#
# *On Colab in your Drive, on Kaggle in /kaggle/working, else beside the notebook.*

# %%
if "google.colab" in sys.modules:
    from google.colab import drive

    drive.mount("/content/drive")
    os.makedirs("/content/drive/MyDrive/hf_zh_dict", exist_ok=True)
    os.chdir("/content/drive/MyDrive/hf_zh_dict")
print(f"目前的資料夾：{os.getcwd()}")

# %% [markdown]
# ## 模型 · The model
# 換成你自己的訓練資料夾也可以。已經練好就沿用。
#
# *Any run folder; a finished one is used as it is.*

# %%
from pathlib import Path

RUN = "runs/notebook"
preset = "" if Path(RUN, "config.yaml").is_file() else "--preset notebook"

# %%
# !hf-zh-dict train {preset} --resume --output-dir {RUN}

# %% [markdown]
# ## 每字位元數 · Bits per character
# 在**保留**的詞條上量，旁邊是 n-gram 與 xz 壓縮。括號裡是 95% 區間：保留的詞條不多，數字會晃多少。
#
# *On held-out entries, beside simple models; the interval says how far the number may be off.*

# %%
# !hf-zh-dict evaluate {RUN} --suite bits

# %%
import json

from IPython.display import Markdown

from hf_zh_dict.evaluation.tables import write_markdown
from hf_zh_dict.paths import RunPaths

paths = RunPaths(Path(RUN))
suites = json.loads(paths.evaluation.read_text(encoding="utf-8"))["suites"]
parts = suites["bits"]["test"].get("field") or {"test": suites["bits"]["test"]}
Markdown(write_markdown("test", parts))

# %% [markdown]
# 各欄畫成圖：`between` 是各欄之間的標籤與分隔，最規律，也最先學會；字詞憑空而來，最難。
#
# *By field: what stands between the fields is regular and learnt first; a headword comes out of nowhere.*

# %%
from matplotlib import pyplot

from hf_zh_dict.sharing.measure_names import name_place

figure, axes = pyplot.subplots(figsize=(8, 4), layout="constrained")
for offset, (name, label) in zip(
    (-0.2, 0.2),
    {"bits_per_char": "這個模型 this model", "character_5gram": "字元 5-gram"}.items(),
    strict=True,
):
    places = [place + offset for place in range(len(parts))]
    axes.barh(places, [part[name]["value"] for part in parts.values()], 0.4, label=label)
axes.set_yticks(range(len(parts)), [f"{name_place(name)} {name}" for name in parts])
axes.invert_yaxis()
axes.set_xlabel("每字位元數（越低越好） bits per character")
axes.legend(frameon=False)
pyplot.show()

# %% [markdown]
# ## 哪裡難猜 · Where it is surprised
# 一份沒看過的詞條，每個字的底色是模型猜它要花的位元數：越紅越意外。
#
# *An unseen entry; the redder, the more bits the character cost.*

# %%
from html import escape

from IPython.display import HTML
from transformers.utils import logging

from hf_zh_dict.corpus.build import read_texts
from hf_zh_dict.evaluation.fields import cost_characters
from hf_zh_dict.evaluation.subject import Subject
from hf_zh_dict.model.loading import load_model_folder
from hf_zh_dict.training.checkpoint import list_checkpoints

logging.disable_progress_bar()
model, tokenizer = load_model_folder(paths.model)
steps = list_checkpoints(paths)
subject = Subject(RUN, model, tokenizer, paths, paths.root, checkpoints=tuple(steps))
text = next(iter(read_texts(paths.split("test"))))[:200]
costs, _targets = cost_characters(subject, [text], "")
html = "".join(
    f'<span style="background:rgba(208,64,48,{min(1, cost / 14):.2f})" title="{cost:.1f}">'
    f"{escape(character)}</span>"
    for character, cost in zip(text, costs[0], strict=False)
)
HTML(f'<p style="font-size:1.2em;line-height:2">{html}</p>')

# %% [markdown]
# ## 讓它寫 · Let it write
# 給字詞，讓它接著寫。**溫度**（temperature）低，挑最可能的字；高，更敢冒險。這些字詞辭典裡沒有。
#
# *Headwords that are in no dictionary; a low temperature takes the likely, a high one dares.*

# %%
from hf_zh_dict.model.generate import generate_texts
from hf_zh_dict.model.sampling import Sampling

prompts = ["夜讀\u3000", "竹橋\u3000", "茶香\u3000"]
for temperature in (0.3, 1.2):
    sampling = Sampling(max_new_tokens=60, temperature=temperature)
    for written in generate_texts(model, tokenizer, prompts, sampling):
        print(f"溫度 {temperature}　{written}\n")

# %% [markdown]
# ## 學會還是背下來 · Learnt or memorised
# 給 train 的詞條開頭 40 個字元，讓它接下去，看與原文相同的最長一段有幾個字；再拿沒看過的詞條做一樣的事當對照。兩邊差不多，就是學會了句式，不是背書。
#
# *How long a stretch it continues word for word: entries it has read, and unseen ones as the control.*

# %%
from hf_zh_dict.evaluation.modules import load_metric
from hf_zh_dict.evaluation.scoring import spread

likeliest = Sampling(max_new_tokens=32, temperature=0)
copied = {}
for split in ("train", "test"):
    texts = [text for text in read_texts(paths.split(split)) if len(text) > 100]
    chosen = [texts[place] for place in spread(len(texts), 24)]
    written = list(generate_texts(model, tokenizer, [text[:40] for text in chosen], likeliest))
    copied[split] = load_metric("longest_common_substring").compute(
        predictions=[text[40:] for text in written],
        references=[text[40:90] for text in chosen],
        each=True,
    )["each"]
    print(split, f"平均 {sum(copied[split]) / len(copied[split]):.1f} 字")

# %%
figure, axes = pyplot.subplots(figsize=(7, 2.5), layout="constrained")
axes.boxplot(copied.values(), orientation="horizontal")
axes.set_yticks([1, 2], ["訓練過 train", "沒看過 test"])
axes.set_xlabel("與原文相同的最長一段（字） longest stretch as in the text")
pyplot.show()

# %% [markdown]
# ## 整套考試 · The whole exam
# `hf-zh-dict evaluate RUN` 考五項，每項三分鐘以內，旁邊都有亂猜會得的分數（chance）：
#
# | suite | 問什麼 | asks |
# |---|---|---|
# | `bits` | 每字位元數，逐欄、逐辭典 | bits per character |
# | `dictionary` | 釋義選得對不對、注音讀得對不對、例句是哪個詞 | definitions, readings, usage |
# | `memory` | 背了多少，隨檢查點怎麼變 | what it knows by heart |
# | `continuation` | 接得像不像，可以請人評分 | continuations, also for human judges |
# | `samples` | 寫出來的像不像詞條 | whether it writes entries |
#
# 半分鐘練出來的模型，`dictionary` 的成績與亂猜差不多；在教育部的辭典上練十分鐘（`student`），釋義十選一的 MRR 就有 0.77，亂猜是 0.29。
#
# *Half a minute of training is at chance there; ten minutes on the Ministry's dictionaries are not.*

# %% [markdown]
# ## 早與晚 · Early and finished
# 同一個開頭，早期的檢查點與練完的模型各寫什麼；再並排比每字位元數（同樣的文件，逐份配對）。
#
# *The same prompts at an early checkpoint and at the end.*

# %%
sampling = Sampling(max_new_tokens=60, temperature=0.3)
for name, examined in ((f"第 {steps[0]} 步", subject.at_checkpoint(steps[0])), ("練完", subject)):
    for written in generate_texts(examined.model, tokenizer, prompts[:2], sampling):
        print(name, written, "\n")

# %%
# !hf-zh-dict compare {RUN}@{steps[0]} {RUN} --output {RUN}/comparison

# %%
from IPython.display import Image

Image(f"{RUN}/comparison/comparison.png")

# %% [markdown]
# ## 它不會的 · What it cannot do
# 它只讀過辭典：不會聊天、不會算數、不知道世界上的事。寫出來的字像辭典，內容不可當真。
#
# *It has read a dictionary and nothing else. Do not believe what it writes.*

# %%
# !hf-zh-dict generate {RUN} --verbatim --max-new-tokens 40 --prompt "1+1等於" "請問你是誰？" "臺灣最高的山是"

# %% [markdown]
# ## 接下來 · Next
# 全部的圖表在 `report.html`。第 05 本把模型放上 Hub。
