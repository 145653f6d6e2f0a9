"""What people say in twelve languages: sentences of different lengths, with the punctuation of each."""
# ruff: noqa: E501, ISC004, RUF001 # wide characters, sentences of two lines, marks of many scripts

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "Yes.",
        "We moved here in the spring, when the roof was still missing.",
        "My sister, who knows more about wood than I do, said that the beams would hold for another hundred years, and "
        "that we should rather look after the windows, the chimney and the stairs.",
        "Did anybody believe her?",
        "Nobody did; we bought new beams anyway, and paid for them until last summer.",
    ),
    "de": (
        "Ja, genau.",
        "Die Straßenbahnhaltestelle wurde damals wegen Bauarbeiten um zweihundert Meter verlegt.",
        "Wer aus dem Krankenhaus kam, musste erst durch die Unterführung, dann an der Feuerwehr vorbei und schließlich "
        "über den Parkplatz des Gartenbauvereins gehen, was im Winter niemand gern tat.",
        "Haben Sie sich beschwert?",
        "Natürlich, mehrmals sogar, aber die Verkehrsbetriebe antworteten nie.",
    ),
    "fr": (
        "Ah bon ?",
        "Mon grand-père tenait une boulangerie au coin de la rue, juste en face de l'école.",
        "Le matin, avant d'ouvrir, il posait sur le rebord de la fenêtre les petits pains qu'il n'avait pas vendus la "
        "veille, et les enfants savaient très bien qu'ils pouvaient se servir.",
        "C'était une autre époque, on se connaissait tous.",
        "Et puis, un jour, il a fermé.",
    ),
    "es": (
        "¡Claro que sí!",
        "Cuando llegamos al pueblo, ya no quedaba nadie en la plaza.",
        "La señora de la pensión nos contó que todos habían bajado al río, porque esa noche, como cada año por San "
        "Juan, se encendían las hogueras y se bailaba hasta la madrugada.",
        "¿Y vosotros fuisteis también?",
        "Fuimos, pero solo un rato.",
    ),
    "ru": (
        "Конечно.",
        "Зимой мы топили печь два раза в день, утром и вечером.",
        "Дрова лежали под навесом за домом, и, прежде чем идти за ними, приходилось откапывать дорожку, потому что "
        "снег в тех местах идёт почти без перерыва с ноября до самого апреля.",
        "А кто вам помогал?",
        "Соседи помогали, у них был трактор.",
    ),
    "ar": (
        "نعم، بالتأكيد.",
        "كان البيت القديم قريبا من السوق، وكنا نسمع أصوات الباعة من الصباح الباكر.",
        "في أيام الجمعة كانت جدتي تفتح الأبواب كلها، وتضع القهوة والتمر على الطاولة الكبيرة، ويأتي الجيران واحدا بعد "
        "الآخر حتى تمتلئ الغرف.",
        "هل ما زال البيت موجودا؟",
        "لا، لقد هدموه قبل عشر سنوات.",
    ),
    "hi": (
        "जी हाँ।",
        "हमारे गाँव में उन दिनों बिजली नहीं थी, इसलिए शाम होते ही सब लोग आँगन में बैठ जाते थे।",
        "दादी हर रात एक नई कहानी सुनाती थीं, और हम बच्चे, जो दिन भर खेतों में दौड़ते रहते थे, कहानी खत्म होने से पहले ही "
        "सो जाया करते थे।",
        "क्या आपको कोई कहानी याद है?",
        "एक याद है, लेकिन वह बहुत लंबी है।",
    ),
    "th": (
        "ใช่ค่ะ",
        "ตอนเด็กๆ เราอยู่บ้านริมแม่น้ำ ทุกเช้าจะมีเรือขายก๋วยเตี๋ยวผ่านมา",
        "คุณแม่ตื่นแต่เช้ามืดเพื่อเตรียมของไปขายที่ตลาด ส่วนพวกเราต้องช่วยกันล้างผักและหุงข้าวให้เสร็จก่อนไปโรงเรียนซึ่งอยู่ไกลมาก",
        "ตอนนี้ยังมีเรืออยู่ไหมคะ",
        "ไม่มีแล้วค่ะ เพราะเขาสร้างสะพาน",
    ),
    "ko": (
        "네, 맞아요.",
        "그때는 학교까지 한 시간 넘게 걸어서 다녔습니다.",
        "비가 많이 오는 날이면 개울물이 불어나서 돌아가야 했는데, 그러면 점심때가 다 되어서야 교실에 도착했고 선생님은 아무 말도 "
        "하지 않으셨습니다.",
        "혼나지는 않았나요?",
        "한 번도 혼난 적이 없어요.",
    ),
    "zh": (
        "对。",
        "我们家以前住在铁路旁边，每天晚上都能听见火车的声音。",
        "刚搬来的时候谁也睡不着，可是过了几个月，要是哪天火车晚点了，全家人反而会醒过来，坐在床上等着它开过去，然后才放心地睡下。",
        "现在还有火车吗？",
        "早就没有了，铁轨都拆了。",
    ),
    "ja": (
        "はい。",
        "子供の頃は、毎年夏になると祖父の家に泊まりに行きました。",
        "庭には大きな柿の木があって、私たちはその下に机を出して宿題をしたり、スイカを食べたり、夕方になると花火をしたりして、夏休みが終わるまでずっとそこで過ごしたものです。",
        "その木は今もありますか。",
        "ええ、去年もたくさん実がなりました。",
    ),
    "pl": (
        "No tak.",
        "W tamtych czasach jeździło się na wakacje pociągiem, a podróż trwała całą noc.",
        "Rodzice rozkładali na półkach koce, babcia wyjmowała z torby kanapki i termos z herbatą, a my staliśmy przy "
        "oknie, licząc światła na stacjach, dopóki nie zasnęliśmy.",
        "Dokąd państwo jeździli?",
        "Najczęściej nad morze, do wujka.",
    ),
}
