"""The names that suites give to measures and places in, what a reader calls them out."""

from hf_zh_dict.dictionaries.layouts import TITLES
from hf_zh_dict.sharing.corpus_page import FIELD_NAMES, SPLIT_NAMES

SUITE_NAMES = {
    "bits": "每字位元數", "continuation": "續寫長詞條", "memory": "背誦", "samples": "寫得像不像詞條",
    "dictionary": "詞義、讀音與用法",
}  # fmt: skip
MODEL_NAMES = {
    "bits_per_char": "這個模型", "character_5gram": "字元 5-gram", "character_bigram": "字元 bigram",
    "xz": "xz 壓縮（先讀訓練集）",
}  # fmt: skip
MEASURE_NAMES = {
    "bits_per_char": "每字位元數", "bits_per_byte": "每位元組位元數", "loss": "每 token 損失",
    "character_5gram": "字元 5-gram", "character_bigram": "字元 bigram", "xz": "xz 壓縮",
    "exact_continuation": "一字不差", "longest_common_substring": "最長相同一段（字）",
    "longest_copy": "最長相同一段（字）", "edit_similarity": "編輯相似度", "rouge_l": "ROUGE-L",
    "character_bleu": "字元 BLEU", "chrf": "chrF", "repetition": "重複", "distinct_1": "不同的字",
    "distinct_2": "不同的二字", "distinct_3": "不同的三字", "distinct_4": "不同的四字",
    "entry_structure": "具備詞條的一切特徵", "parses": "剖析得出", "sounded": "有讀音或部首",
    "numbered": "義項依序", "complete": "句子完整", "balanced": "引號書名號成對", "clean": "沒有壞字",
    "bopomofo_validity": "注音合法", "pinyin_agreement": "拼音與注音相符", "simplified": "含簡體字",
    "novelty": "不在訓練集裡", "reading_accuracy": "讀音正確", "syllable_accuracy": "音節正確",
    "accuracy": "正確率", "mrr": "平均倒數排名", "median_rank": "排名中位數",
    "shortlisted": "進入第二步的比例", "preferred": "較喜歡模型的",
    "exact": "讀音全對", "syllable": "音節", "tone": "聲調",
}  # fmt: skip
PLACE_NAMES = {
    "held-out": "保留", "greedy": "逐字最可能", "sampled": "抽樣", "unconditional": "自由寫",
    "dictionary": "辭典", "field": "欄", "judged": "人工評分",
    "reverse": "由釋義找字詞", "reading": "讀音", "usage": "用法", "by_bits_per_char": "按位元數",
    "over_expectation": "按互資訊", "by_character": "逐字查", "all": "全部", "single_reading": "只有一讀",
    "with_heteronym": "含破音字", "unseen_compound": "沒見過的字組", "words": "換詞",
    "miswritten": "辨錯字", "idiom_section": "成語各欄", "other": "其他", "between": "標籤與分隔",
}  # fmt: skip


def name_measure(name: str) -> str:
    """A measure's name in Chinese; its own when it is not known here."""
    base, at, place = name.partition("@")
    if at and base in MEASURE_NAMES:
        return f"前 {place} 名{MEASURE_NAMES[base]}"
    return MEASURE_NAMES.get(name, name)


def name_place(key: str) -> str:
    """What a key on the way to a measure stands for."""
    if key.startswith("among_"):
        return f"{key.removeprefix('among_')} 選 1"
    return (SPLIT_NAMES | TITLES | FIELD_NAMES | PLACE_NAMES).get(key, key)
