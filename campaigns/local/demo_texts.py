"""The demo's words, in both languages. Figures and names of the history come from facts.json."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """A title, one or two plain sentences, and Markdown."""

    title: str
    summary: str
    story: str


Both = dict[str, Words]

ABOUT = {
    "zh-Hans": (
        "我们从 2003 年起，在城市里陪伴外来务工者和他们的家人：提供服务和协助，做研究和倡导，"
        "培训同行，把他们的故事讲给更多人听。"
    ),
    "en": (
        "Since 2003 we have stood beside migrant workers and their families in Chinese cities: "
        "with services, research and advocacy, training, and by telling their stories."
    ),
}

PARTNER = {"zh-Hans": "上海联劝公益基金会", "en": "Shanghai United Foundation"}

# Invented people, one a role, in the order of `demo.People`.
STAFF = {
    "fundraiser": "周宁",
    "editor": "林静",
    "approver": "何芳",
    "treasurer": "吴昊",
    "administrator": "陈默",
}

LIVE: Both = {
    "zh-Hans": Words(
        "放学以后：给流动儿童的一间自习室",
        "父母收工前的三个小时，孩子们需要一张安静的书桌、一位愿意听他们说话的大人。",
        "**这是演示用的虚构项目，数字也是虚构的。**\n\n"
        "下午四点放学，父母七点以后才收工。这三个小时里，孩子们在出租屋、在路边、在小卖部门口等着。"
        "我们想在社区里租一间屋子，摆上书桌和台灯，每天有一位老师陪着。\n\n"
        "## 钱花在哪里\n\n"
        "| 用途 | 金额 |\n|---|---:|\n| 房租，一年 | ¥ 28,800 |\n"
        "| 两位陪伴老师，一年 | ¥ 216,000 |\n"
        "| 书桌、台灯和书 | ¥ 35,200 |\n| 保险和水电 | ¥ 20,000 |\n",
    ),
    "en": Words(
        "After school: a study room for migrant children",
        "In the three hours before their parents come home, children need a quiet desk and "
        "a grown-up who listens.",
        "**This campaign and its figures are invented for the demo.**\n\n"
        "School ends at four; parents finish after seven. In between, children wait in rented "
        "rooms, by the road, outside the corner shop. We want to rent a room nearby, put desks "
        "and lamps in it, and have a teacher there every day.\n\n"
        "## What the money is for\n\n"
        "| for | amount |\n|---|---:|\n| rent for a year | ¥28,800 |\n"
        "| two teachers for a year | ¥216,000 |\n| desks, lamps and books | ¥35,200 |\n"
        "| insurance, water and power | ¥20,000 |\n",
    ),
}

# In the order of facts.json.
HISTORY: tuple[Both, ...] = (
    {
        "zh-Hans": Words(
            "一部关于外来务工者的纪录片",
            "把工地、流水线和出租屋里的生活拍成一部片子，让城市看见建造它的人。",
            "镜头跟着几个家庭走过一年：开工、搬家、孩子转学、过年回乡。片子完成后在社区里放映，"
            "也请看片的人留下来谈一谈。",
        ),
        "en": Words(
            "A documentary on migrant workers' lives",
            "Life on building sites, assembly lines and in rented rooms, so that the city may "
            "see who built it.",
            "The camera follows several families for a year: starting a job, moving house, "
            "changing schools, going home for the New Year. It is shown in the neighbourhoods it "
            "was made in, and people stay to talk.",
        ),
    },
    {
        "zh-Hans": Words(
            "流动儿童的学费",
            "父母在哪里打工，孩子就该能在哪里上学。",
            "这笔钱付的是流动儿童的学费和书本费，由学校开具收据，一笔一笔对得上。",
        ),
        "en": Words(
            "School fees for migrant children",
            "Wherever parents work, their children should be able to go to school.",
            "The money paid the school fees and books of migrant children. Schools gave a "
            "receipt for each payment.",
        ),
    },
    {
        "zh-Hans": Words(
            "外来务工家庭的社区服务",
            "一处可以推门进来的地方：问工伤怎么办，给孩子找课，也给自己找人说说话。",
            "社区服务点每天开门，有法律咨询、亲子活动、图书角和互助小组。2019 年，这个项目在"
            "腾讯公益上筹到了它的目标。",
        ),
        "en": Words(
            "Community services for migrant families",
            "A door one can walk through: to ask about an injury at work, to find lessons for "
            "a child, or just someone to talk to.",
            "The centre is open every day, with legal advice, family activities, a library "
            "corner and self-help groups. In 2019 the campaign reached its target on Tencent.",
        ),
    },
)
HISTORY_SLUGS = ("documentary", "school-fees", "community-services")

UPDATES: tuple[Both, ...] = (
    {
        "zh-Hans": Words(
            "我们租下了活动室",
            "",
            "租约一年，月租 2,400 元。屋子朝南，走路到小学六分钟。合同和收据的照片会放在"
            "“钱花在哪里”。",
        ),
        "en": Words(
            "We have rented the room",
            "",
            "The lease runs for a year at ¥2,400 a month. The room faces south and is six "
            "minutes on foot from the school. Photos of the contract and the receipts will follow.",
        ),
    },
    {
        "zh-Hans": Words(
            "第一批书桌到了",
            "",
            "十六张书桌在周六上午送到。孩子们自己排了座位表，靠窗的位置要轮流坐。\n\n"
            "- 书桌 16 张\n- 台灯 16 盏\n- 书架 2 个\n",
        ),
        "en": Words(
            "The first desks have arrived",
            "",
            "Sixteen desks came on Saturday morning. The children drew up the seating plan "
            "themselves; the seats by the window go round.\n\n"
            "- 16 desks\n- 16 lamps\n- 2 bookshelves\n",
        ),
    },
)

SCHEDULED: Both = {
    "zh-Hans": Words(
        "自习室开门第一周",
        "",
        "第一周来了二十三个孩子，最小的七岁。周三停电一次，大家点着应急灯把作业写完了。\n\n"
        "**谢谢你。** 下个月我们会写信告诉你第一个月的账目。",
    ),
    "en": Words(
        "The first week of the study room",
        "",
        "Twenty-three children came in the first week, the youngest seven years old. On "
        "Wednesday the power failed; everybody finished their homework by emergency lamp.\n\n"
        "**Thank you.** Next month we will write to you with the first month's accounts.",
    ),
}

IN_REVIEW: Both = {
    "zh-Hans": Words(
        "十二月的安排和需要",
        "",
        "十二月我们想再请一位老师，周六也开门。详细的预算在项目页上。",
    ),
    "en": Words(
        "Plans and needs for December",
        "",
        "In December we would like a second teacher, so that the room can open on Saturdays "
        "too. The budget is on the campaign's page.",
    ),
}

# Invented givers: name, language, message, whether the name is shown.
# What the treasurer noted, and who matches: an invented company.
# What the platforms are called that nobody asks, in the order of `script.BY_HAND`.
BY_HAND = ("微公益", "联劝网")
BOX = "社区中秋晚会的募捐箱"
MATCHER = "晨光文具（虚构）"

DONORS: tuple[tuple[str, str, str | None, bool], ...] = (
    ("王晓梅", "zh-Hans", "给靠窗的孩子", True),
    ("张伟", "zh-Hans", "加油！", False),
    ("Clara", "en", "From one after-school kid to another.", True),
    ("刘洋", "zh-Hans", None, False),
    ("李建国", "zh-Hans", "我小时候也等过爸妈收工。", True),
    ("Tom", "en", None, False),
    ("赵敏", "zh-Hans", None, True),
    ("孙丽", "zh-Hans", "一点心意", False),
    ("Ingrid", "en", "For the lamps.", True),
    ("周强", "zh-Hans", None, False),
    ("吴芳", "zh-Hans", "祝孩子们进步", True),
    ("郑浩", "zh-Hans", None, False),
)
# Who wishes one letter a month.
MONTHLY = "郑浩"

# A paper list of an open day, as a file, and on what basis its people are written to.
HELPERS = "志愿者"
LIST_NAME = "开放日签到表.csv"
LIST_HOW = "开放日的纸质签到表"
LIST_WORDS = "我愿意用邮箱收到协作者的通讯。"
LIST = f"""\
address,name,language,place,tags
chen.jie@example.org,陈洁,zh-Hans,广东 深圳,{HELPERS}
he.lei@example.org,何磊,zh-Hans,北京,{HELPERS}
maria@example.org,Maria,en,Berlin,
feng.yu@example.org,冯雨,zh-Hans,广东 深圳,
"""
SEGMENTS = ("关注自习室的英文读者", "还没有捐赠过的志愿者")

ISSUE: Both = {
    "zh-Hans": Words(
        "这一季，我们做了什么",
        "",
        '亲爱的{{ donor.name | default("朋友") }}，\n\n'
        "入秋以来，自习室、法律咨询和读书会都开起来了。\n\n"
        "- 自习室：每天放学后三个小时\n- 法律咨询：每周六下午\n\n"
        "每一笔钱用在哪里，项目页上都写着。",
    ),
    "en": Words(
        "What we did this season",
        "",
        'Dear {{ donor.name | default("friend") }},\n\n'
        "Since autumn the study room, legal advice and the reading circle have been open.\n\n"
        "- The study room: three hours after school every day\n"
        "- Legal advice: Saturday afternoons\n\n"
        "Where each gift goes stands on the campaigns' pages.",
    ),
}
