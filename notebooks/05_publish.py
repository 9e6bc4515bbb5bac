# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 05 發表 · Publish
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/NingJing0718/hf_zh_dict/blob/main/notebooks/05_publish.ipynb)
#
# 練好的模型就是一般的 Llama：誰都能 `from_pretrained`。這一本看它的說明卡、放上 Hugging Face Hub、開一個可以玩的網頁（Space），再匯出給 llama.cpp 與 Ollama。
#
# - 需要 · Needs：第 03 本的模型；沒有的話先練一個。要真的上傳，還要 Hub 的權杖（token）
# - 時間 · Time：CPU 上約一分鐘 · about a minute
#
# *Card, push, Space, GGUF. Nothing is sent unless you give a name and a token.*

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

# %%
from pathlib import Path

RUN = "runs/notebook"
preset = "" if Path(RUN, "config.yaml").is_file() else "--preset notebook"

# %%
# !hf-zh-dict train {preset} --resume --output-dir {RUN}

# %% [markdown]
# ## 誰都能載入 · Anyone can load it
# 不需要本專案的程式，只要 transformers。
#
# *Plain transformers, none of our code.*

# %%
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

logging.disable_progress_bar()
model = AutoModelForCausalLM.from_pretrained(f"{RUN}/model").eval()
tokenizer = AutoTokenizer.from_pretrained(f"{RUN}/model")
prompt = tokenizer("夜讀\u3000", return_tensors="pt")
with torch.no_grad():
    written = model.generate(**prompt, max_new_tokens=40, do_sample=False)
print(tokenizer.decode(written[0], skip_special_tokens=True))

# %% [markdown]
# ## 名稱與權杖 · Name and token
# 在 https://huggingface.co/settings/tokens 建一個可寫入（write）的權杖，放進環境變數或 Colab 的 Secrets，名為 `HF_TOKEN`；自己的電腦也可以用 `hf auth login`。名稱留空就什麼都不會送出。
#
# *Leave the name empty and nothing is sent.*

# %%
from huggingface_hub import get_token

REPO_ID = ""  # 例如 "你的帳號/zh-dict-notebook"
token = get_token()
ready = bool(REPO_ID and token)
if ready:
    os.environ["HF_TOKEN"] = token  # Colab 的 Secrets 只有這本筆記本看得到，指令看不到
print("會上傳到", REPO_ID) if ready else print("只看不送")

# %% [markdown]
# ## 說明卡 · The model card
# 放上 Hub 的模型要說清楚：從什麼資料來、怎麼練的、成績如何、什麼授權。這張卡全從訓練資料夾寫成，沒有的事實會說沒有。
#
# *Written from the run folder; what is not recorded is said to be missing.*

# %%
from IPython.display import Markdown

from hf_zh_dict.paths import RunPaths
from hf_zh_dict.sharing.publish_model import Destination, prepare_model

publication = prepare_model(RunPaths(Path(RUN)), Destination(REPO_ID or "OWNER/NAME"))
Markdown(publication.card.split("---\n", 2)[2])

# %% [markdown]
# ## 先看會送什麼 · What would be sent
# `--dry-run` 列出每個檔案與說明卡的原文，什麼也不送。
#
# *The files and the card's source; nothing is sent.*

# %%
# !hf-zh-dict push {RUN} --repo-id {REPO_ID or "OWNER/NAME"} --dry-run

# %% [markdown]
# ## 放上 Hub · Push
# 預設只有自己看得到；加上 `--public` 才公開。內容沒變就不會多一個 commit。
#
# *Private unless `--public` is given.*

# %%
skip = "echo skipped: no name or no token"
push = f"hf-zh-dict push {RUN} --repo-id {REPO_ID}" if ready else skip
print(push)
# !{push}

# %% [markdown]
# ## 可以玩的網頁 · A Space
# **Space** 是 Hub 上的小網頁：打一個字詞，看模型怎麼寫。在自己的電腦上先試：`hf-zh-dict demo runs/notebook`。
#
# *A page where anyone lets the model write.*

# %%
space = f"hf-zh-dict push {RUN} --repo-id {REPO_ID} --space" if ready else skip
print(space)
# !{space}

# %% [markdown]
# ## GGUF
# llama.cpp、Ollama、LM Studio 讀的檔案：一個檔裝下權重與斷詞器。
#
# *One file with weights and tokenizer, for llama.cpp and its relatives.*

# %%
if importlib.util.find_spec("gguf") is None:
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "gguf"], check=True)

# %%
# !hf-zh-dict export {RUN} --format gguf

# %% [markdown]
# 再把它讀回來，看寫出來的機率與原來的差多少：只差 f16 的捨入。
#
# *Read back: it differs by rounding to f16 only.*

# %%
file = next(Path(RUN, "gguf").glob("*.gguf"))
again = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name).eval()
with torch.no_grad():
    one, other = (each(**prompt).logits.float().softmax(-1) for each in (model, again))
print(f"{file.name}，{file.stat().st_size:,} 位元組，機率最多差 {(one - other).abs().max():.6f}")

# %% [markdown]
# 在裝了 Ollama 的電腦上：
#
# ```
# ollama create zh-dict -f runs/notebook/gguf/Modelfile
# ollama run zh-dict 文
# ```
#
# ## 接下來 · Next
# 語料也可以放上 Hub：`hf-zh-dict push-corpus runs/notebook --repo-id OWNER/NAME`。用教育部的辭典時，請先讀《使用說明》（`--terms-read`）。
