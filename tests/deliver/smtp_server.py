"""A mail server on a free port of loopback for tests. Prints its port, then one JSON line per mail taken.

What it does depends on the recipient's local part: reject (550 to RCPT), later (451 to RCPT), refuse-data (554 behind the
text), later-data (452), drop (ends the connection behind the text, without a word), drop-rcpt (ends it at RCPT), silent
(never answers the text); everything else is taken. With --busy it greets with 421 and ends.
"""
import asyncio
import json
import sys

from aiosmtpd.smtp import SMTP


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        what = address.split("@")[0]
        if what == "reject":
            return "550 5.1.1 no such user"
        if what == "later":
            return "451 4.7.1 greylisted"
        if what == "drop-rcpt":
            server.transport.abort()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        what = envelope.rcpt_tos[0].split("@")[0]
        if what == "refuse-data":
            return "554 5.7.1 spam"
        if what == "later-data":
            return "452 4.2.2 mailbox full"
        print(json.dumps({"from": envelope.mail_from, "to": envelope.rcpt_tos, "peer": session.peer[1],
                          "text": envelope.content.decode("latin-1")}), flush=True)
        if what == "drop":
            server.transport.abort()
        if what == "silent":
            await asyncio.sleep(3600)
        return "250 2.0.0 taken"


async def busy(reader, writer):
    writer.write(b"421 4.3.2 too busy\r\n")
    await writer.drain()
    writer.close()


async def main():
    loop = asyncio.get_running_loop()
    if "--busy" in sys.argv:
        server = await asyncio.start_server(busy, "127.0.0.1", 0)
    else:
        server = await loop.create_server(lambda: SMTP(Handler(), hostname="test", enable_SMTPUTF8=True), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
