"""N12: tokens that end while people are connected, and devices that are signed out."""

import asyncio
import time

from faults import OUR_SETTINGS, until
from faults.crowd import COMPLETE_WITHIN, Crowd
from faults.device import Account, Device
from faults.member import Member
from faults.run import Run, scenario
from messaging.live.close_codes import CloseCode

LIFE = 5.0  # seconds of an access token
OUT_WITHIN = 2.0  # seconds, from a sign-out to the end of its sockets


@scenario(
    "N12", "tokens end while people talk, and in a storm; then a device is signed out",
    environment=OUR_SETTINGS | {"CHATTALK_ACCESS_SECONDS": str(LIFE)},
)  # fmt: skip
async def tokens_end(run: Run) -> None:
    """Sockets outlive the tokens they were opened with. In the storm they must be renewed, by lines
    that break all the time: nobody is sent away to sign in."""
    crowd, accounts = await _devices(run, 24 if run.is_full else 8)
    devices = [one for one in crowd.all if isinstance(one, Device)]
    async with crowd.talking(700 if run.is_full else 350, pause=0.03):
        await asyncio.sleep(LIFE + 1)
        run.bound("ended_with_their_token", 0, sum(len(one.closes) for one in devices), unit="")
        for _ in range(4 if run.is_full else 1):
            await _storm(run, devices)
            await asyncio.sleep(LIFE)
    run.bound("sent_away", 0, sum(one.sent_away for one in devices), unit="")
    await _sign_out(run, crowd, devices[0], accounts[0])
    await run.judge(crowd)
    run.note("renewals", sum(one.renewals for one in devices))


async def _devices(run: Run, many: int) -> tuple[Crowd, list[Account]]:
    """Half of them talk; and two in a browser, to whom nothing happens."""
    site = run.site
    accounts = [await Account.made(site) for _ in range(many)]
    plain = await asyncio.to_thread(site.take, 2)
    room = site.room([*(one.person for one in accounts), *plain])
    devices = []
    for number, account in enumerate(accounts):
        devices.append(await _device(run, f"device {number}", account, room, number % 2))
    others = [
        Member(f"browser {n}", person, room, site.ports, run.history, run.dice)
        for n, person in enumerate(plain)
    ]
    crowd = Crowd(run.site, run.counts, room, [*devices[::2]], [*devices[1::2], *others])
    run.crowds.append(crowd)
    await crowd.come()
    return crowd, accounts


async def _device(run: Run, name: str, account: Account, room: int, worker: int) -> Device:
    ports = [*run.site.door_ports[worker:], *run.site.door_ports[:worker]]
    pair = await account.sign_in()
    return Device(name, account.person, room, ports, run.history, run.dice, pair)


async def _storm(run: Run, devices: list[Device]) -> None:
    """A worker is killed and all lines are cut, when no token counts any more."""
    answers = [await one.ask(run.site.ports[1], "GET", "/api/v1/me/") for one in devices]
    run.counts["phantom"] += sum(answer.status != 401 for answer in answers)
    came = {one.name: one.came for one in devices}
    dying = asyncio.create_task(run.nemesis.kill_worker(0))
    for device in devices:
        device.cut()
    for pause in run.pauses(30, 0.01, 0.1):
        await asyncio.sleep(pause)
        run.nemesis.reset(*run.site.doors)
    await dying
    await until(lambda: all(_is_back(one, came[one.name]) for one in devices), 60)
    run.counts["unconverged"] += sum(not _is_back(one, came[one.name]) for one in devices)


def _is_back(device: Device, came: int) -> bool:
    return device.is_connected and device.came > came


async def _sign_out(run: Run, crowd: Crowd, first: Device, account: Account) -> None:
    """Of two devices of a person one is signed out, by the worker that it is not at."""
    second = await _device(run, "signed out", account, crowd.room, 0)
    run.members.append(second)
    await second.come()
    heard, closes = len(second.shown), len(first.closes)
    run.nemesis.begin("sign-out")
    answer = await second.ask(run.site.ports[1], "POST", "/api/v1/tokens/revoke/", {})
    run.nemesis.end("sign-out")
    began = time.monotonic()
    run.counts["unhandled"] += answer.status != 204
    await until(lambda: CloseCode.SIGNED_OUT in second.closes, 10)
    run.bound("signed_out_after", OUT_WITHIN, time.monotonic() - began)
    async with asyncio.timeout(COMPLETE_WITHIN):
        await asyncio.gather(*(one.say("they must not hear this") for one in crowd.senders))
    await until(lambda: second.sent_away > 0, 10)
    run.counts["phantom"] += len(second.shown) - heard + (second.sent_away != 1)
    run.counts["unhandled"] += len(first.closes) - closes
    await crowd.settle()
