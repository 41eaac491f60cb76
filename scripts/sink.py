#!/usr/bin/python3
"""A real mail server and a webhook receiver on loopback that count what they get: for the demo and fault tests.

    sink.py --info sink-ports.json [--ids FILE] [--summary FILE]

Speaks SMTP (aiosmtpd, what Debian ships) and HTTP (aiohttp) on free ports and writes them to the --info file:
{"smtp": PORT, "http": PORT, "pid": PID}. Of every mail it notes the Message-ID and the recipient, of every webhook
(any POST) the header `webhook-id`, and throws the rest away. An id that comes a second time is a duplicate.

  GET /summary    {"mails": {"received", "distinct", "duplicates", "without_id"}, "webhooks": {…}, "duplicate_ids": […]}
  --ids FILE      appends "mail ID TO" or "webhook ID PATH" for each one before it is acknowledged, so that what a
                  sender was told is in the file even if the sender is killed right afterwards
  --summary FILE  the summary, written when the sink is told to end (SIGTERM, SIGINT)

One loop serves both, which is enough for several thousand mails a second.
"""

import argparse
import asyncio
import collections
import json
import os
import pathlib
import re
import signal
import sys

from aiohttp import web
from aiosmtpd.smtp import SMTP

MESSAGE_ID = re.compile(rb"^message-id:[ \t]*(?:\r?\n[ \t]+)?(\S+)", re.IGNORECASE | re.MULTILINE)
HEADERS_END = re.compile(rb"\r?\n\r?\n")
DUPLICATES_NAMED = 100


class Ledger:
    """What came in, by id."""

    def __init__(self, ids_path):
        self.mails = collections.Counter()
        self.webhooks = collections.Counter()
        self.without_id = {"mails": 0, "webhooks": 0}
        self._ids = open(ids_path, "a", buffering=1, encoding="utf-8") if ids_path else None

    def note(self, kind, identity, where):
        if not identity:
            self.without_id[kind] += 1
            return
        getattr(self, kind)[identity] += 1
        if self._ids:
            self._ids.write(f"{kind[:-1]} {identity} {where}\n")

    def summary(self):
        result = {"duplicate_ids": []}
        for kind in ("mails", "webhooks"):
            counts = getattr(self, kind)
            received = sum(counts.values())
            result[kind] = {
                "received": received + self.without_id[kind],
                "distinct": len(counts),
                "duplicates": received - len(counts),
                "without_id": self.without_id[kind],
            }
            repeated = (i for i, n in counts.items() if n > 1)
            for identity in repeated:
                if len(result["duplicate_ids"]) < DUPLICATES_NAMED:
                    result["duplicate_ids"].append(identity)
        return result


class MailHandler:
    """What aiosmtpd calls for each mail. It finds the id in the raw bytes: parsing mails would cost ten times more."""

    def __init__(self, ledger):
        self._ledger = ledger

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 (aiosmtpd's name)
        content = envelope.content
        end = HEADERS_END.search(content)
        match = MESSAGE_ID.search(content, 0, end.start() + 1 if end else len(content))
        identity = match.group(1).decode("utf-8", "replace") if match else ""
        self._ledger.note("mails", identity, ",".join(envelope.rcpt_tos))
        return "250 OK"


async def run(args):
    ledger = Ledger(args.ids)
    loop = asyncio.get_running_loop()

    handler = MailHandler(ledger)
    smtp = await loop.create_server(
        lambda: SMTP(handler, hostname="sink.localhost", enable_SMTPUTF8=True, data_size_limit=10_000_000),
        host=args.host, port=args.smtp_port, backlog=1024,
    )

    async def on_summary(_request):
        return web.json_response(ledger.summary())

    async def on_webhook(request):
        await request.read()
        ledger.note("webhooks", request.headers.get("webhook-id", ""), request.path)
        return web.Response(status=204)

    app = web.Application()
    app.router.add_get("/summary", on_summary)
    app.router.add_post("/{path:.*}", on_webhook)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, args.host, args.http_port)
    await site.start()

    info = {
        "smtp": smtp.sockets[0].getsockname()[1],
        "http": site._server.sockets[0].getsockname()[1],  # pylint: disable=protected-access
        "pid": os.getpid(),
    }
    if args.info:
        # By renaming, so that whoever waits for the file never reads half of it.
        whole = pathlib.Path(args.info)
        part = whole.with_name(whole.name + ".part")
        part.write_text(json.dumps(info) + "\n", encoding="utf-8")
        part.replace(whole)
    else:
        print(json.dumps(info), flush=True)

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    smtp.close()
    await runner.cleanup()
    if args.summary:
        pathlib.Path(args.summary).write_text(json.dumps(ledger.summary(), indent=2) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--info", help="file for the ports (default: standard output)")
    parser.add_argument("--ids", help="file to append every id to as it comes")
    parser.add_argument("--summary", help="file for the summary at the end")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at")
    parser.add_argument("--smtp-port", type=int, default=0)
    parser.add_argument("--http-port", type=int, default=0)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
