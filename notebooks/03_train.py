# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 03 在一張 GPU 上訓練 · Train on one GPU
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/NingJing0718/hf_zh_dict/blob/main/notebooks/03_train.ipynb)
# [![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/NingJing0718/hf_zh_dict/blob/main/notebooks/03_train.ipynb)
#
# 訓練一個小 Llama，中途故意斷線，再接著練完。
#
# - 需要 · Needs：免費的 T4 就好（Colab：執行階段 → 變更執行階段類型；Kaggle：Accelerator）；沒有 GPU 也能跑
# - 時間 · Time：內建辭典在兩個 CPU 核心上約一分鐘；Hub 的語料在一張 GPU 上要久得多，先看下面的預估
#
# *Train a small Llama, lose the connection on purpose, and go on. One minute on a CPU with the embedded dictionary.*

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
# ## 硬體與設定 · Hardware and settings
# 精度：新的 GPU 會算 bf16；免費的 T4 不會，用 fp16。下面的 `--train.mixed-precision auto` 讓程式自己看機器選。
#
# *bf16 where the machine has it, fp16 on a T4: `auto` chooses.*

# %%
import torch

gpu = torch.cuda.is_available()
print(torch.cuda.get_device_name() if gpu else "CPU")

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
preset = {"embedded": "notebook", "hub": "hub"}.get(SOURCE, "student") if gpu else "notebook"
RUN = f"runs/{preset}"
OPTIONS = f"--preset {preset} {corpus_options} --output-dir {RUN}"
OPTIONS += " --train.mixed-precision auto"
print(OPTIONS)

# %% [markdown]
# ## 會花多久 · How long will it take
# 真的訓練幾步，量時間與記憶體，再推算全程。語料、斷詞器、區塊若還沒有，會先做好。
#
# *A few steps are timed; the corpus, tokenizer and blocks are built on the way.*

# %%
# !hf-zh-dict plan {OPTIONS}

# %% [markdown]
# ## 損失與每字位元數 · Loss and bits per character
# 模型每猜一個 token，就給詞表裡每一項一個機率。**損失**（loss）是正確答案的機率取負對數，再平均；答案給得越有把握，損失越小。
#
# 還沒學的模型對 V 項一視同仁，每項機率 1/V，損失就是 ln V。
#
# 損失以 token 計，換一個斷詞器就不能比了；所以換算成**每字位元數**（bits per character）：寫出一個字平均要幾個位元。越低越好，任何模型都能放在一起比。
#
# *Before it has learnt anything the loss is ln V. Bits per character do not depend on the tokenizer.*

# %%
import math
from pathlib import Path

from hf_zh_dict.corpus.build import read_texts
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.tokens.tokenizer import encode_texts, load_tokenizer

paths = RunPaths(Path(RUN))
tokenizer = load_tokenizer(paths.tokenizer)
texts = list(read_texts(paths.split("validation")))
tokens = sum(len(ids) + 1 for ids in encode_texts(tokenizer, texts))  # 結尾的 </s> 也要猜
characters = sum(map(len, texts))
loss = math.log(len(tokenizer))
print(f"亂猜的損失：ln {len(tokenizer):,} = {loss:.3f}")
print(f"亂猜的每字位元數：{loss / math.log(2) * tokens / characters:.3f}")

# %% [markdown]
# ## 訓練，然後斷線 · Train, and lose the connection
# 免費的機器說斷就斷。訓練途中每隔幾步（`train.save_steps`）會存一個**檢查點**：權重、最佳化器、讀到哪裡，全在裡面。等第一個存好，我們就把訓練硬生生關掉，像被拔了插頭。
#
# *Every few steps a checkpoint is saved. As soon as there is one, the training is killed, as by a lost connection.*

# %%
from hf_zh_dict.training.checkpoint import list_checkpoints

command = [sys.executable, "-m", "hf_zh_dict", "train", *OPTIONS.split(), "--resume"]
training = subprocess.Popen(
    command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
)
for line in training.stdout:
    print(line, end="")
    if list_checkpoints(paths):
        training.kill()
print("斷線了！結束碼", training.wait())

# %%
for step in list_checkpoints(paths):
    files = sorted(file.name for file in paths.checkpoint(step).iterdir())
    print(f"第 {step} 步：{'、'.join(files)}")

# %% [markdown]
# ## 接著練完 · Resume
# 真的斷線之後，從頭執行這本筆記本，走到這裡就會接著練。`--resume` 的意思是：有檢查點就接著練，沒有就從頭開始。想提早結束，按停止鈕：它會先存檔。
#
# 在 CPU 上，接著練出來的與從沒斷過的逐位元相同。
#
# *After a real disconnect run the notebook again from the top. `--resume` goes on from the newest checkpoint, or starts. The stop button saves first.*

# %%
# !hf-zh-dict train {OPTIONS} --resume

# %% [markdown]
# ## 學習曲線 · The curves
# 直線是接續的地方：斷線前多練的幾步重做一次，損失接得上，步數也沒有缺。
#
# *The vertical line is where it was resumed: the curve goes on.*

# %%
from hf_zh_dict.records import read_rows
from hf_zh_dict.stages import read_stage

metrics = read_rows(paths.metrics)
training = [row for row in metrics if "loss" in row]
evaluations = [row for row in metrics if "validation_bits_per_char" in row]
starts = [row["step"] for row in read_rows(paths.environment)]
baselines = read_stage(paths.baselines / "validation")["bits_per_char"]
steps = [row["step"] for row in training]
assert steps == sorted(set(steps))
print("開始與接續的步數：", starts, "，最後一步：", evaluations[-1]["step"])

# %%
from matplotlib import pyplot

figure, (upper, lower) = pyplot.subplots(2, 1, figsize=(8, 6), sharex=True, layout="constrained")
upper.plot(steps, [row["loss"] for row in training], color="#1f5f8b")
upper.set_ylabel("訓練損失 training loss")
lower.plot(
    [row["step"] for row in evaluations],
    [row["validation_bits_per_char"] for row in evaluations],
    "o-", color="#1f5f8b", label="這個模型 this model",
)  # fmt: skip
lower.axhline(baselines["character_bigram"], ls="--", color="#b0b0b0", label="字元 2-gram")
lower.axhline(baselines["character_5gram"], ls="--", color="#d08030", label="字元 5-gram")
lower.set_ylabel("驗證集每字位元數\nvalidation bits per character")
lower.set_xlabel("步 step")
lower.legend(frameon=False)
for axes in (upper, lower):
    axes.grid(alpha=0.3)
    for step in starts[1:]:
        axes.axvline(step, color="#7a9a50")
pyplot.show()

# %% [markdown]
# **n-gram** 是數出來的簡單模型：看前 1 個字（2-gram）或前 4 個字（5-gram）猜下一個。一分鐘的訓練還贏不了它們；練久一點就會（`--preset quickstart`、`student`）。
#
# *n-grams only count. Half a minute of training does not beat them yet; more does.*
#
# ## 學習率 · The learning rate
# 每一步改多少，叫做**學習率**：先暖身，再慢慢降到零。
#
# *It warms up, then falls to zero.*

# %%
figure, axes = pyplot.subplots(figsize=(8, 2), layout="constrained")
axes.plot(steps, [row["learning_rate"] for row in training])
axes.set_xlabel("步 step")
axes.set_ylabel("學習率")
pyplot.show()

# %% [markdown]
# ## 從亂碼到辭典腔 · From noise to the manner of a dictionary
# 訓練途中，它對同一個沒看過的字詞寫了什麼：
#
# *What it wrote for the same unseen headword on the way.*

# %%
for row in read_rows(paths.samples)[::2]:
    print(f"第 {row['step']} 步　{row['text'][:80]!r}\n")

# %% [markdown]
# ## 接下來 · Next
# 報告在 `report.html`，最好的權重在 `model/`。第 04 本看它學到了什麼。
