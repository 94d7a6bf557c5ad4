"""Knows languages by the script in which they are written."""

from __future__ import annotations

import re

# The script's letters and accents, and for scripts without spaces how many words a letter makes.
_SCRIPTS = {
    "Han": ("\u3400-\u9fff\u3041-\u3096\u30a1-\u30fe々", 0.5),
    "Korean": ("\uac00-\ud7a3", 0.0),
    "Arabic": ("\u0620-\u065f\u066e-\u06d3\u06d5-\u06ef\u06fa-\u06ff\u0750-\u077f\u200c", 0.0),
    "Devanagari": ("\u0900-\u0963\u200d", 0.0),
    "Cyrillic": ("\u0400-\u052f", 0.0),
    "Greek": ("\u0370-\u03ff\u1f00-\u1fff", 0.0),
    "Punjabi": ("\u0a00-\u0a65\u0a70-\u0a7f", 0.0),
    "Thai": ("\u0e01-\u0e4e", 0.25),
    "Tamil": ("\u0b80-\u0bdf", 0.0),
    "Bengali": ("\u0980-\u09e3", 0.0),
    "Sinhala": ("\u0d80-\u0ddf\u200d", 0.0),
    "Gujarati": ("\u0a80-\u0ae3", 0.0),
    "Telugu": ("\u0c00-\u0c63", 0.0),
    "Malayalam": ("\u0d00-\u0d63", 0.0),
    "Kannada": ("\u0c80-\u0ce3", 0.0),
    "Hebrew": ("\u05d0-\u05f4", 0.0),
    "Khmer": ("\u1780-\u17d3", 0.25),
    "Burmese": ("\u1000-\u103f\u1050-\u109f", 0.25),
    "Lao": ("\u0e81-\u0ece\u0edc-\u0edf", 0.25),
    "Armenian": ("\u0531-\u0587", 0.0),
    "Georgian": ("\u10a0-\u10ff", 0.0),
    "Amharic": ("\u1200-\u1360", 0.0),
    "Assyrian": ("\u0700-\u074f", 0.0),
    "Dhivehi": ("\u0780-\u07bf", 0.0),
    "Tibetan": ("\u0f40-\u0fbc", 0.25),
}
# At least two letters: one may be a unit, a piece of a smiley, or a look-alike inside an English word.
_RUNS = {script: re.compile(f"[{letters}]{{2,}}") for script, (letters, _) in _SCRIPTS.items()}
# Letters of these scripts pass for Latin ones, so a run of them counts only if no Latin letter touches it ...
for _script in ("Cyrillic", "Greek"):
    _letters = _SCRIPTS[_script][0]
    _RUNS[_script] = re.compile(f"(?<![a-z{_letters}])[{_letters}]{{2,}}(?![a-z{_letters}])")
# ... and if the message holds one that doesn't.
_UNLIKE_LATIN = {
    "Cyrillic": re.compile("[бвгджзийлмнптфцчшщъыьэюяїєґћђљњџќѓ]"),
    "Greek": re.compile("[ςσλπθδξφψωμγζεβάέήίόύώϊϋ]"),
}

_LATIN_WORD = re.compile(r"[a-z\u00df-\u024f\u1e00-\u1eff]{2,}")
_TOPIC = re.compile(r"m[iy]ll?i(?:a|as|um|ums)")  # people write it in Latin letters in every language

# What tells the languages of one script apart, in this order; the last is the biggest one.
_CUES = {
    "Arabic": (
        ("Urdu", re.compile(r"[ٹڈڑںےہۓ]|\b(?:کا|کو|اور)\b")),
        ("Pashto", re.compile("[ټډړښځڅږۍ]")),
        ("Kurdish", re.compile("[ێۆڵڕ]")),
        ("Persian", re.compile(r"[یکپچژگ]|\b(?:است|ممنون|آیا|برای|سلام،)")),
    ),
    "Devanagari": (
        (
            "Nepali",
            re.compile(
                r"छ(?![\u0900-\u0963])|छ(?:न|ु|ौ|ैन)|न्छ|र्छ|गर्न|मलाई|तपाई|मेरो|यसको|कति|कस्तो|कसरी|कहिले|लागि"
                r"|भएको|नुहोस|पर्ने|थियो|(?<![\u0900-\u0963])(?:यो|र)(?![\u0900-\u0963])"
            ),
        ),
        ("Marathi", re.compile("आहे|काय|किती|मला|माझ|तुम्ह|नाही|कसे|कुठे")),
        ("Hindi", re.compile("")),
    ),
    "Cyrillic": (
        ("Ukrainian", re.compile(r"[іїєґ]|\b(?:це|що|як|чи)\b")),
        ("Macedonian", re.compile(r"[ѓќ]|\b(?:колку|дали)\b")),
        ("Serbian", re.compile(r"[ћђљњџј]|\b(?:да ли|српски)\b")),
        ("Bulgarian", re.compile(r"ъ[бвгджзклмнпрстфхцчшщ]|\b(?:колко|какво|струва)\b")),
        ("Russian", re.compile("")),
    ),
}
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa]")
_CANTONESE = re.compile("[嘅咗唔喺㗎咩嚟佢哋啲冇嘢嗰啱咁噉晒俾攞瞓嘥]|點解|幾多|邊個|邊度|多謝")
# Common characters that were simplified, in both forms.
_TRADITIONAL = re.compile(
    "[們這個來時說對國學為會還後麼沒經發開問題點錢醫療預約請謝語講話幾嗎給誰臉膚瘡東車長門見進過邊號電線診價費聯絡"
    "處種樣嚴應當從無難變關間頭兒買賣讓認識總連遠運歲務辦動嬰傷護張書機視覺觀單雙術專業減與類顆顏願顯風養館驗體黃"
    "齊檔輸選擇確轉換設繫級紀錄記訊誤許項須頁負責資質貴載輕較軟結終組細維網編練縮續數據樓權歡氣決況準滿灣爾現環產"
    "畫異監盡眾禮稱穩簡範統義聽職腫腦膽藝藥蘇蟲補裝規親計訂試詢該詳誠調談論證讀賬賽贊趕趙跡軍遞適鄰釋針鐵錯鍵閉閱"
    "陽陰隊際險雜離靈靜響頂順領頻顧飛飯飲餘馬鬆麗龍內兩並亞優億僅傳債傾備參員創則剛剝劃劇勝勞區協卻厲壓嘗圍園圓圖"
    "團場執堅報壞夠夢婦媽實寧審寫寬將尋導層屬帶幫廣廳彈強徑復恆惡惱態憂戰戲戶拋掃掛採損搖撐擁擊擔擠擬擴擾攝敗敵斷"
    "於]"
)
_SIMPLIFIED = re.compile(
    "[们这个来时说对国学为会还后么没经发开问题点钱医疗预约请谢语讲话几吗给谁脸肤疮东车长门见进过边号电线诊价费联络"
    "处种样严应当从无难变关间头儿买卖让认识总连远运岁务办动婴伤护张书机视觉观单双术专业减与类颗颜愿显风养馆验体黄"
    "齐档输选择确转换设系级纪录记讯误许项须页负责资质贵载轻较软结终组细维网编练缩续数据楼权欢气决况准满湾尔现环产"
    "画异监尽众礼称稳简范统义听职肿脑胆艺药苏虫补装规亲计订试询该详诚调谈论证读账赛赞赶赵迹军递适邻释针铁错键闭阅"
    "阳阴队际险杂离灵静响顶顺领频顾飞饭饮余马松丽龙内两并亚优亿仅传债倾备参员创则刚剥划剧胜劳区协却厉压尝围园圆图"
    "团场执坚报坏够梦妇妈实宁审写宽将寻导层属带帮广厅弹强径复恒恶恼态忧战戏户抛扫挂采损摇撑拥击担挤拟扩扰摄败敌断"
    "于]"
)


def language_by_script(text: str) -> str | None:
    """The language of the script in which most words are written, or None if that is the Latin one."""
    text = text.lower()
    found = {script: runs for script, pattern in _RUNS.items() if (runs := pattern.findall(text))}
    if not found:
        return None
    words = {
        script: sum(map(len, runs)) * _SCRIPTS[script][1] or len(runs)  # by letters, or else by runs
        for script, runs in found.items()
    }
    script = max(words, key=words.__getitem__)
    if words[script] < sum(not _TOPIC.fullmatch(word) for word in _LATIN_WORD.findall(text)):
        return None
    if script in _UNLIKE_LATIN and not _UNLIKE_LATIN[script].search(text):
        return None
    if script == "Han":
        return _language_by_han("".join(found["Han"]))
    return next((name for name, cue in _CUES.get(script, ()) if cue.search(text)), script)


def _language_by_han(letters: str) -> str:
    """Cantonese stands for traditional characters, as it is the commoner of their readers in Australia."""
    if len(_KANA.findall(letters)) > 0.15 * len(letters):
        return "Japanese"
    if _CANTONESE.search(letters):
        return "Cantonese"
    traditional, simplified = len(_TRADITIONAL.findall(letters)), len(_SIMPLIFIED.findall(letters))
    return "Cantonese" if traditional > simplified else "Mandarin"
