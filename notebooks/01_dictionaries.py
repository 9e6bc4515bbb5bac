# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 01 辭典 · The dictionaries
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/NingJing0718/hf_zh_dict/blob/main/notebooks/01_dictionaries.ipynb)
#
# 語言模型讀的是**語料**：一大堆文字。這一本從辭典的試算表走到可以訓練的語料：看、清、分、畫。
#
# - 需要 · Needs：CPU 就好；內建辭典（本專案自撰，CC0），不用網路
# - 時間 · Time：約一分鐘 · about a minute
#
# *From a dictionary's spreadsheet to a corpus: look at it, clean it, divide it without leaks, draw it.*

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
# ## 資料來源 · Where the text comes from
# `embedded` 是內建辭典；`hub` 是 Hub 上的四部辭典，一行一條；教育部的試算表就寫檔案的路徑（`hf-zh-dict download` 會下載）。
#
# *`embedded`, `hub`, or the path of one of the Ministry's files.*

# %%
SOURCE = "embedded"  # "hub"，或 "data/dict_mini.xlsx"

# %%
corpus_options = {
    "embedded": "--corpus.source embedded",
    "hub": "--corpus.source hub --corpus.data-files allData2025.txt",
}.get(SOURCE, f"--corpus.source spreadsheets --corpus.files {SOURCE}")
OPTIONS = f"--preset notebook {corpus_options}"
print(OPTIONS)

# %%
from hf_zh_dict.cli import parse_arguments
from hf_zh_dict.commands.options import resolve_config

config, paths = resolve_config(parse_arguments(["corpus", *OPTIONS.split()]))
print(f"語料來源：{config.corpus.source}")
print(f"資料夾：{paths.root}")

# %% [markdown]
# ## 看 · Look
# 教育部的四部辭典各有各的欄名；程式看欄名就認得是哪一部。內建辭典的欄名與它們相同。
#
# *Each dictionary is recognised by its column names.*

# %%
from hf_zh_dict.config import CorpusConfig
from hf_zh_dict.corpus.sources import source_files
from hf_zh_dict.dictionaries.reader import read_rows

tables = source_files(config.corpus) or source_files(CorpusConfig())  # Hub 沒有表格：看內建的
for table in tables:
    layout, rows = read_rows(table)
    print(f"{layout.dictionary:10}{table.name:16}{sum(1 for _row in rows):>8,} 列")

# %% [markdown]
# 一列的原樣（每格只印前 100 個字元）。《國語小字典》在每個字後面都標了注音，還有 `&&` 這種標記：這些都不是我們想讓模型學的文字。
#
# *One row as published: readings and markup stand between the characters.*

# %%
table = next((table for table in tables if "mini" in table.name), tables[0])
layout, rows = read_rows(table)
row = next(rows)
for column, cell in row.items():
    print(f"{column:18}{cell[:100]!r}")

# %% [markdown]
# ## 清 · Clean
# 拿掉的只有標記；字一個也不改（不做 NFKC，也不繁簡轉換）。
#
# *Markup goes, the words stay.*

# %%
from hf_zh_dict.dictionaries.normalize import strip_ruby

print(row["definition"][:100], "\n")
print(strip_ruby(row["definition"])[:100])

# %% [markdown]
# 清好的一列成為一個**詞條**（entry）：字詞、讀音、義項，義項裡再分釋義、例句、引文。
#
# *A cleaned row becomes an entry: headword, readings, senses, and what each sentence is.*

# %%
from hf_zh_dict.dictionaries.entry import Entry
from hf_zh_dict.dictionaries.reader import read_entries

entries = [record for record in read_entries(table) if isinstance(record, Entry)]
entry = entries[0]
for reading in entry.readings:
    print(entry.headword, reading.bopomofo, reading.pinyin)
    for sense in reading.senses[:3]:
        for passage in sense.passages:
            print(f"  {sense.number}  {passage.field:12}{passage.text}")

# %% [markdown]
# 詞條再寫成一行，叫做一份**文件**（document）。模型讀的就是這一行；每一欄在哪裡，程式都記得。
#
# *The entry as one line, which is what the model reads. Colours mark the fields.*

# %%
from html import escape

from IPython.display import HTML

from hf_zh_dict.dictionaries.render import render_document

document = render_document(entry)
colors = {"headword": "#d0803088", "bopomofo": "#1f5f8b66", "definition": "#7a9a5066"}
html, end = "", 0
for span in document.spans:
    color = colors.get(span.field, "#80808044")
    html += escape(document.text[end : span.start])
    html += f'<span style="background:{color}" title="{span.field}">'
    html += escape(document.text[span.start : span.end]) + "</span>"
    end = span.end
HTML(f'<p style="font-size:1.2em;line-height:2">{html}{escape(document.text[end:])}</p>')

# %% [markdown]
# 同一個詞條也可以寫成好幾種說法（`--corpus.recipe extended`）：從字詞問釋義、從釋義猜字詞、問讀音……資料少的時候很有用。
#
# *The same entry can be written from several sides.*

# %%
from hf_zh_dict.dictionaries.views import render_views

for view in render_views(entries[1]):
    print(f"{view.view:12}{view.text[:70]}")

# %% [markdown]
# ## 分 · Split
# 語料分成三份：**train** 給模型讀；**validation** 在訓練途中檢查；**test** 留到最後。後兩份模型沒讀過，所以測得出它是學會了還是背下來的。
#
# 辭典特別容易洩題：同一個字詞在兩部辭典都有，「也作」「參見」互相抄，釋義幾乎一樣。所以先把有關係的詞條歸成一**組**，整組只放進一份。
#
# *Train is read, validation checked on the way, test kept for the end. Related entries form a group, and a group lies in one split only.*

# %%
# !hf-zh-dict corpus {OPTIONS} --report

# %% [markdown]
# 語料存成 Parquet，`datasets` 直接讀得進來；一列就是一份文件。

# %%
from datasets import disable_progress_bars, load_dataset

disable_progress_bars()
corpus = load_dataset(str(paths.corpus))
corpus

# %%
example = corpus["train"][1]
for column in ("headword", "dictionary", "group", "view", "text"):
    print(f"{column:12}{example[column][:100]}")

# %% [markdown]
# 沒有一組同時出現在兩份裡：

# %%
groups = {name: set(split["group"]) for name, split in corpus.items()}
for name in ("validation", "test"):
    print(f"train 與 {name} 共有的組：{len(groups['train'] & groups[name])}")

# %% [markdown]
# 最大的幾組，裡面的字詞果然有關係：

# %%
from hf_zh_dict.stages import read_stage

survey = read_stage(paths.survey)
for group in survey["groups"]["largest"][:5]:
    print(f"{group['entries']} 條：{'、'.join(group['examples'])}")

# %% [markdown]
# ## 洩了多少 · How much leaks
# 拿保留的文字（validation 與 test）每 13 個字元一段，看有多少段在 train 裡一模一樣；旁邊是把同樣的文件**隨機**分的結果。
#
# *The share of held-out stretches of 13 characters that train holds too: by groups, and at random.*

# %%
from matplotlib import pyplot

from hf_zh_dict.sharing.measure_names import name_place

leakage = survey["leakage"]
fields = [name for name in ("definition", "example") if name in leakage["groups"]["fields"]]
names = ["全部 all", *(f"{name_place(name)} {name}" for name in fields)]
figure, axes = pyplot.subplots(figsize=(7, 3), layout="constrained")
for offset, way, label in ((-0.2, "groups", "依組 by groups"), (0.2, "random", "隨機 at random")):
    shares = [leakage[way]["share"], *(leakage[way]["fields"][name]["share"] for name in fields)]
    places = [place + offset for place in range(len(names))]
    bars = axes.bar(places, [100 * share for share in shares], 0.4, label=label)
    axes.bar_label(bars, fmt="%.1f")
axes.set_xticks(range(len(names)), names)
axes.set_ylabel("洩題 leakage（%）")
axes.legend(frameon=False)
pyplot.show()

# %% [markdown]
# ## 畫 · Pictures
# 文件有多長？橫軸是對數：大多數詞條很短，少數很長。長度之後決定**區塊**要多大（第 02 本）。
#
# *Most entries are short, a few are long.*

# %%
lengths = [len(text) for split in corpus.values() for text in split["text"]]
edges = [edge for edge in survey["lengths"]["edges"] if edge <= max(lengths)]
figure, axes = pyplot.subplots(figsize=(8, 3), layout="constrained")
axes.hist(lengths, bins=[*edges, max(lengths) + 1], color="#1f5f8b")
axes.set_xscale("log")
axes.set_xlim(left=min(lengths))
axes.set_xlabel("一份文件的字元數 characters in a document")
axes.set_ylabel("份 documents")
pyplot.show()

# %% [markdown]
# 最常見的 30 個字。辭典愛說什麼，一看便知。
#
# *The thirty most frequent characters.*

# %%
frequent = survey["script"]["frequent"][:30]
figure, axes = pyplot.subplots(figsize=(8, 3), layout="constrained")
axes.bar([character for character, _count in frequent], [count for _character, count in frequent])
axes.tick_params(axis="x", labelsize=12)
axes.set_ylabel("次數 count")
pyplot.show()

# %% [markdown]
# 只要多少個不同的字元，就能寫出多少比例的文字？前幾百個字元占了大半，剩下的尾巴很長：罕用字出現不到幾次，模型很難學會。斷詞器要處理的就是這條尾巴。
#
# *A few hundred characters make up most of the text; the tail is long.*

# %%
script = survey["script"]
figure, axes = pyplot.subplots(figsize=(8, 3), layout="constrained")
counts, shares = zip(*script["curve"], strict=True)
axes.plot(counts, [100 * share for share in shares])
axes.set_xscale("log")
axes.set_xlabel("最常見的幾個字元 most frequent characters")
axes.set_ylabel("占文字的比例（%）")
axes.grid(alpha=0.3)
pyplot.show()
print(f"共 {script['distinct']:,} 個不同的字元，其中 {script['once']:,} 個只出現一次")

# %% [markdown]
# ## 接下來 · Next
# 更完整的一頁在 `runs/notebook/corpus.html`，用瀏覽器打開就能看。
#
# 第 02 本把文字變成模型讀得懂的數字：斷詞器。
