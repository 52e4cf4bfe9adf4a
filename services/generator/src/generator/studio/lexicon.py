"""What words mean to the painter: English, Turkish and Chinese, one row for each meaning."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

FIGURES: dict[str, str] = {
    "bicycle": "bicycle bike cycle tandem bisiklet 自行车 单车 脚踏车",
    "car": "car auto automobile taxi cab beetle convertible araba otomobil taksi 汽车 轿车 "
    "车 出租车",
    "bus": "bus minibus van camper otobus 公交车 巴士 公共汽车",
    "train": "train locomotive tram railway tren tramvay 火车 列车",
    "boat": "boat sailboat yacht sail sailing ship dinghy tekne yelkenli gemi 船 帆船 小船",
    "balloon": "balloon hot_air_balloon balon 气球 热气球",
    "plane": "plane airplane aeroplane aircraft jet ucak 飞机",
    "rocket": "rocket spaceship spacecraft shuttle roket 火箭 飞船 宇宙飞船",
    "house": "house home cottage cabin hut barn farmhouse ev kulube 房子 小屋 木屋 家 房屋",
    "castle": "castle fortress palace kale saray 城堡 宫殿",
    "lighthouse": "lighthouse beacon deniz_feneri 灯塔",
    "windmill": "windmill mill degirmen 风车",
    "tower": "tower minaret kule 塔 高塔",
    "temple": "temple pagoda shrine mosque tapinak 寺庙 宝塔 庙 亭子",
    "bridge": "bridge kopru 桥",
    "tent": "tent camp camping cadir 帐篷",
    "tree": "tree oak maple apple_tree oak_tree agac 树 大树 树木",
    "blossom": "blossom cherry_tree cherry_blossom cherry_blossom_tree sakura kiraz_agaci "
    "樱花 樱花树 桃花",
    "pine": "pine pine_tree fir spruce christmas_tree cam_agaci 松树 圣诞树",
    "palm": "palm palm_tree palmiye 棕榈树 椰子树",
    "flower": "flower daisy rose poppy lotus orchid cicek gul papatya 花 玫瑰 花朵 莲花 荷花",
    "tulip": "tulip lale 郁金香",
    "sunflower": "sunflower aycicegi 向日葵",
    "mushroom": "mushroom toadstool fungus mantar 蘑菇",
    "cactus": "cactus kaktus 仙人掌",
    "cat": "cat kitten kitty kedi 猫 小猫",
    "dog": "dog puppy hound wolf kopek kurt 狗 小狗 狼",
    "fox": "fox tilki 狐狸",
    "rabbit": "rabbit bunny hare tavsan 兔子 兔",
    "horse": "horse pony mare stallion unicorn at_ 马 骏马",
    "deer": "deer stag elk reindeer moose geyik 鹿",
    "elephant": "elephant fil 大象 象",
    "bear": "bear panda ayi 熊 熊猫",
    "sheep": "sheep lamb goat koyun kuzu 羊 绵羊",
    "bird": "bird robin sparrow parrot crow pigeon dove kus serce 鸟 小鸟",
    "owl": "owl baykus 猫头鹰",
    "duck": "duck duckling swan goose ordek kugu 鸭子 天鹅",
    "penguin": "penguin penguen 企鹅",
    "fish": "fish goldfish koi shark balik 鱼 金鱼",
    "whale": "whale dolphin balina yunus 鲸鱼 海豚 鲸",
    "turtle": "turtle tortoise kaplumbaga 乌龟 海龟",
    "octopus": "octopus squid jellyfish ahtapot 章鱼 水母",
    "butterfly": "butterfly moth kelebek 蝴蝶",
    "dragon": "dragon ejderha 龙",
    "person": "person man boy hiker traveller traveler wanderer figure someone people human "
    "father "
    "king wizard knight samurai child kid adam insan cocuk erkek 人 男人 男孩 孩子 旅人",
    "woman": "woman girl lady queen princess dancer mother bride kadin kiz 女人 女孩 公主 "
    "女子 姑娘",
    "portrait": "portrait face selfie headshot portre yuz 肖像 脸",
    "astronaut": "astronaut cosmonaut spaceman astronot 宇航员",
    "robot": "robot android droid robotun 机器人",
    "snowman": "snowman kardan_adam 雪人",
    "apple": "apple elma 苹果",
    "fruit": "oranges peach lemon fruit portakal seftali limon meyve 橙子 桃子 柠檬 水果",
    "cake": "cake cupcake birthday pasta_ 蛋糕",
    "cup": "cup mug coffee tea teacup kahve cay fincan bardak 杯子 咖啡 茶",
    "bottle": "bottle perfume wine sise parfum 瓶子 香水",
    "vase": "vase pot jug vazo 花瓶",
    "book": "book kitap 书",
    "lamp": "lamp lantern candle fener lamba mum 灯 灯笼 蜡烛",
    "chair": "chair armchair sofa couch sandalye koltuk 椅子 沙发",
    "guitar": "guitar violin ukulele gitar 吉他",
    "umbrella": "umbrella parasol semsiye 雨伞 伞",
    "shoe": "shoe sneaker boot ayakkabi 鞋 鞋子 运动鞋",
    "shirt": "shirt tshirt t-shirt sweater dress jacket hoodie gomlek tisort elbise 衬衫 裙子 衣服",
    "heart": "heart love kalp ask 心 爱心",
    "star": "starfish yildiz_sekli",
    "planet": "planet saturn jupiter earth gezegen dunya 行星 地球 土星",
    "ball": "ball football basketball sphere orb top_ 球 足球 篮球",
    "clock": "clock watch saat 钟 时钟 手表",
    "camera": "camera kamera fotograf_makinesi 相机 照相机",
    "gift": "gift present hediye 礼物",
}

SETTINGS: dict[str, str] = {
    "mountains": "mountain peak alp alpine summit cliff canyon valley volcano everest dag "
    "tepe vadi "
    "山 高山 雪山 山峰 山谷 山脉",
    "lake": "lake river pond lagoon fjord stream waterfall gol nehir irmak selale 湖 河 江 "
    "池塘 瀑布 湖泊",
    "sea": "sea ocean beach coast shore island harbor harbour bay wave seaside deniz okyanus plaj "
    "sahil ada kiyi dalga 海 大海 海洋 海滩 沙滩 岛 海边 海浪",
    "forest": "forest wood woods woodland jungle rainforest grove orman 森林 树林 丛林",
    "city": "city town skyline street downtown skyscraper urban metropolis alley tokyo "
    "london paris "
    "istanbul york shanghai cyberpunk sehir sokak kent kasaba 城市 街道 都市 城 北京 上海 东京",
    "desert": "desert mars dune sahara sand pyramid col kum 沙漠 沙丘",
    "fields": "field meadow farm countryside hill prairie grassland garden park lawn vineyard "
    "lavender village picnic cayir tarla bahce koy 田野 草地 草原 花园 公园 农田 村庄 乡村",
    "space": "space galaxy nebula cosmos universe cosmic orbit milky_way uzay galaksi evren "
    "太空 宇宙 星系 银河 星云",
    "underwater": "underwater reef coral aquarium undersea seabed deep_sea su_alti 水下 海底 珊瑚",
    "table": "table desk kitchen shelf still_life product studio_shot masa mutfak 桌子 静物 "
    "厨房 桌上",
    "room": "room indoors interior bedroom living_room bed cafe library oda kafe 房间 室内 "
    "卧室 客厅",
    "abstract": "abstract pattern geometric minimal shapes texture soyut desen 抽象 几何 图案",
}

TIMES: dict[str, str] = {
    "dawn": "dawn sunrise morning daybreak safak sabah gundogumu 黎明 日出 早晨 清晨 早上",
    "day": "day noon midday afternoon daylight sunny gunduz ogle gunesli 白天 中午 下午 晴天",
    "sunset": "sunset golden_hour evening sundown gunbatimi gun_batimi aksam 日落 黄昏 傍晚 "
    "夕阳 晚霞",
    "dusk": "dusk twilight blue_hour alacakaranlik 暮色 薄暮",
    "night": "night midnight moonlit moonlight nocturne starry neon gece 夜晚 夜 晚上 午夜 "
    "星空 夜景",
}

WEATHERS: dict[str, str] = {
    "cloudy": "cloud cloudy overcast bulut bulutlu 云 多云 阴天",
    "rain": "rain rainy drizzle yagmur yagmurlu 雨 下雨 雨天",
    "storm": "storm stormy thunder lightning tempest firtina 暴风雨 闪电 雷",
    "snow": "snow snowy snowfall blizzard kar karli 雪 下雪",
    "fog": "fog foggy mist misty haze hazy sis sisli 雾 薄雾",
}

SEASONS: dict[str, str] = {
    "spring": "spring bahar ilkbahar 春天 春 春季",
    "summer": "summer yaz 夏天 夏 夏日",
    "autumn": "autumn fall autumnal sonbahar 秋天 秋 秋季",
    "winter": "winter frozen ice icy arctic kis buz 冬天 冬 冬季 冰",
}

MOODS: dict[str, str] = {
    "calm": "calm peaceful serene quiet tranquil zen sakin huzurlu 宁静 平静",
    "joyful": "happy joyful cheerful bright vibrant colorful colourful playful mutlu neseli "
    "renkli "
    "快乐 鲜艳 彩色 可爱",
    "dark": "dark gloomy scary spooky gothic ominous noir horror karanlik korkunc 黑暗 恐怖",
    "dreamy": "dreamy dream magical fantasy surreal fairy pastel whimsical enchanted ruya buyulu "
    "梦幻 魔法 奇幻 梦",
    "vintage": "vintage retro old antique nostalgic sepia eski 复古 古老",
}

FEATURES: dict[str, str] = {
    "moon": "moon ay_ 月亮 月",
    "crescent": "crescent hilal 月牙",
    "stars": "star stars yildiz yildizlar 星星 星",
    "sun": "sun gunes 太阳 阳光",
    "rainbow": "rainbow gokkusagi 彩虹",
    "aurora": "aurora northern_lights kutup_isiklari 极光",
    "fireworks": "fireworks firework havai_fisek 烟花 烟火",
    "road": "road path trail highway yol patika 路 小路 公路",
}

COLOURS: dict[str, str] = {
    "red": "red crimson scarlet ruby burgundy maroon bordo kirmizi kizil 红 红色 大红",
    "orange": "orange amber turuncu 橙 橙色 橘色",
    "yellow": "yellow lemony sari 黄 黄色",
    "gold": "gold golden altin 金 金色",
    "green": "green emerald lime yesil 绿 绿色",
    "olive": "olive khaki haki 橄榄绿",
    "mint": "mint nane 薄荷绿",
    "teal": "teal turkuaz 青色 青",
    "turquoise": "turquoise aqua cyan camgobegi 绿松石",
    "blue": "blue azure sapphire cobalt mavi 蓝 蓝色",
    "navy": "navy indigo lacivert 深蓝",
    "purple": "purple violet amethyst mor 紫 紫色",
    "lilac": "lilac mauve eflatun 淡紫",
    "magenta": "magenta fuchsia 洋红",
    "pink": "pink pembe 粉 粉色 粉红 粉红色",
    "brown": "brown chocolate chestnut kahverengi 棕 棕色 褐色",
    "beige": "beige cream ivory tan bej krem 米色",
    "white": "white beyaz 白 白色",
    "gray": "gray grey silver gri gumus 灰 灰色 银色",
    "black": "black ebony siyah 黑 黑色",
}

SHADES: dict[str, str] = {
    "deep": "deep rich emerald crimson sapphire derin 浓",
    "dark": "dark burgundy maroon bordo koyu 深 暗",
    "light": "light acik 浅",
    "pale": "pale faint soluk ucuk 淡",
    "pastel": "pastel",
    "bright": "bright vivid lime parlak canli 亮 鲜 鲜艳",
    "muted": "muted dusty faded dull mat",
}
"""Beside what a word means otherwise: how light and vivid the colour after it is, or its own."""

TINTED: dict[str, str] = {
    "sky": "sky gokyuzu 天空 天",
    "water": "water su_ 水 水面",
    "ground": "grass ground cim 草",
    "wall": "background wall backdrop arka_plan duvar 背景 墙",
}

COUNTS: dict[str, str] = {
    "1": "one single a an bir lone lonely 一 一只 一个 一辆 一艘",
    "2": "two pair couple both twin iki cift 两 两只 两个 二 双",
    "3": "three trio uc 三 三只 三个",
    "4": "four dort 四 四只 四个",
    "5": "five several some bes birkac 五 五只 几只",
    "6": "six seven eight alti 六 七 八",
    "9": "nine ten many flock herd swarm group crowd lots dozens hundreds surusu 许多 很多 "
    "一群 九 十",
}

REFUSALS = frozenset({"no", "without", "never", "except", "没有", "无"})

LINKS = frozenset({"in", "is", "are", "colored", "coloured", "painted", "wearing"})

AXES: dict[str, dict[str, str]] = {
    "colour": COLOURS,
    "count": COUNTS,
    "mood": MOODS,
    "tinted": TINTED,
    "feature": FEATURES,
    "season": SEASONS,
    "weather": WEATHERS,
    "time": TIMES,
    "setting": SETTINGS,
    "figure": FIGURES,
}


def fold(text: str) -> str:
    """Lower case without diacritics, so that ``Göl``, ``gol`` and ``GÖL`` are one word."""
    plain = unicodedata.normalize("NFKD", text.replace("ı", "i").casefold())
    return "".join(mark for mark in plain if not unicodedata.combining(mark))


def _rows() -> Iterator[tuple[str, tuple[str, str]]]:
    for axis, table in AXES.items():
        for value, words in table.items():
            for word in words.split():
                # A trailing underscore parks a word that is spelt like another language's.
                if not word.endswith("_"):
                    yield fold(word.replace("_", " ")), (axis, value)


LOOKUP: dict[str, tuple[str, str]] = dict(_rows())
"""Folded word or phrase → (axis, value)."""

SHADE_OF: dict[str, str] = {
    fold(word): shade for shade, words in SHADES.items() for word in words.split()
}
"""Folded word → shade."""

LONGEST_HAN = max(len(word) for word in LOOKUP if ord(word[0]) > 0x2E7F)
