"""Arithmetic problems in Chinese, composed: short parts with many alternatives, told as a story."""

from __future__ import annotations

from random import Random

from stillwatch.lab.traffic.wording import Wording, pick

__all__ = ["chinese_problem"]

_WHO = (
    "小明", "小红", "李老师", "王师傅", "张阿姨", "陈同学", "刘经理", "赵爷爷", "周医生", "吴姐姐",
    "郑船长", "孙大爷", "钱会计", "冯司机", "褚园丁", "卫护士", "蒋教练", "沈画家", "韩厨师",
)  # fmt: skip
_WHERE = (
    "果园", "码头", "集市", "书店", "车站", "农场", "药房", "体育馆", "花市", "邮局",
    "渔村", "茶楼", "仓库", "博物馆", "食堂", "工地", "牧场", "剧院", "图书室", "山脚下",
)  # fmt: skip
_WHAT = (
    "苹果", "铅笔", "书包", "鸡蛋", "风筝", "笔记本", "橙子", "花盆", "茶杯", "邮票",
    "瓷砖", "木板", "毛线", "灯笼", "蜡烛", "钥匙扣", "门票", "核桃", "雨伞", "棋子",
)  # fmt: skip
_FIRST = tuple(
    Wording(grammar)
    for grammar in (
        "{清晨|傍晚|上周|周末|雨后|年初|昨天|节日里}<who>{在|到|路过}<where>{买了|收到|领取|清点"
        "出|搬来}<a>{个|件|份|箱}<what>，{其中|后来|结果}<other>{弄坏|送掉|卖出|借走}<b>{个|件|份}",
        "<where>{里|旁边|门口}{原有|存着|堆着|摆着}<what><a>{件|箱|份}，<who>{每天|每趟|按时}{运"
        "走|添上|检查}<c>{件|箱}，<other>{负责|只管}<thing>",
        "<who>{和|带着|请来}<other>{从|离开}<where>{出发|动身}，<thing>{每小时|每天}{运|走}<b>{千"
        "米|里}，{遇到|绕过}<what>{停|耽误}<c>{小时|刻钟}",
        "{开学|搬家|比赛|展览|过年}{前|后}，<where>把{定价|标价}<a>元的<what>{降|涨}<b>元"
        "，<who>{用|拿}<thing>{换走|订下}<c>{份|单}",
        "<who>的{表格|账本|清单|日记}{写着|记有}：<what>{首|第一}{天|月}<c>{个|份}，{此后|往"
        "后}<thing>{多|少}<b>{个|份}，{直到|等到}<where>{满员|关门}",
    )
)
_THEN = tuple(
    Wording(grammar)
    for grammar in (
        "。{若|如果|假设}<other>{再|又|另外}{带来|拿走|补上}<b>{个|份}<what>，<where>{剩|有|共}{多"
        "少|几}{个|份}<thing>？",
        "，{而|但是|同时}<other>{只|恰好|至少}{完成|付出|用去}<what>的<c>{倍|成}，{问|求}<thing>{相"
        "差|合计}{多少|几何}？",
        "；{按|照}<thing>的{速度|比例|规律}，<where>{到|在}第<b>{天|次|轮}{应有|会有|剩下}{多"
        "少|几}<what>？",
        "，{随后|接着|再}把<thing>{平均|轮流}{分给|交"
        "给}<other>{等|和}<c>{人|家|组}，{每|各}{人|家|组}{得|拿}{多少|几}<what>？",
        "。{已知|又知}<other>的<thing>{是|比}<what>{少|多}<b>，<where>{应|该}{备|出}{多"
        "少|几}{份|元}？",
    )
)


def chinese_problem(rng: Random) -> str:
    """A problem of three sentences; its numbers need not work out."""
    slots = {
        "who": pick(rng, _WHO),
        "other": pick(rng, _WHO),
        "where": pick(rng, _WHERE),
        "what": pick(rng, _WHAT),
        "thing": pick(rng, _WHAT),
        "a": str(120 + int(rng.random() * 9_000)),
        "b": str(11 + int(rng.random() * 89)),
        "c": str(2 + int(rng.random() * 8)),
    }
    again = slots | {"who": pick(rng, _WHO), "where": pick(rng, _WHERE), "thing": pick(rng, _WHAT)}
    story = f"{pick(rng, _FIRST).say(rng, **slots)}。{pick(rng, _FIRST).say(rng, **again)}"
    return story + pick(rng, _THEN).say(rng, **slots)
