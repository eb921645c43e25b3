"""Messages as they come back: from relays, from those who complain, and from machines."""

from campaigns.mail.verp import bounce_address
from campaigns.model.delivery import Delivery
from config import settings

DOMAIN = "updates.example.org"


def address(of: Delivery) -> str:
    """Where bounces of the letter go."""
    return bounce_address(of.id, settings().address_pepper, DOMAIN)


def bounce(
    to: str,
    status: str = "5.1.1",
    words: str = "550 5.1.1 no such user",
    *,
    action: str = "failed",
    number: int = 1,
    recipient: str = "ada@example.org",
) -> bytes:
    """A report of delivery as Postfix writes it."""
    lines = [
        "Return-Path: <>",
        "From: MAILER-DAEMON@mx.example.com (Mail Delivery System)",
        f"To: {to}",
        f"Message-ID: <{number}@mx.example.com>",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="BB"',
        "",
        "--BB",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        "This is the mail system at host mx.example.com.",
        "",
        "--BB",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; mx.example.com",
        "",
        f"Final-Recipient: rfc822; {recipient}",
        f"Action: {action}",
        f"Status: {status}",
        f"Diagnostic-Code: smtp; {words}",
        "",
        "--BB--",
        "",
    ]
    return "\r\n".join(lines).encode()


def complaint(mail_from: str, message_id: str = "", *, kind: str = "abuse") -> bytes:
    """A report of abuse, as it comes to whoever collects them."""
    lines = [
        "From: <abusedesk@example.com>",
        "To: <complaints@example.org>",
        "Message-ID: <complaint@example.com>",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=feedback-report; boundary="CC"',
        "",
        "--CC",
        "Content-Type: message/feedback-report",
        "",
        f"Feedback-Type: {kind}",
        f"Original-Mail-From: <{mail_from}>",
        "",
        "--CC",
        "Content-Type: message/rfc822",
        "",
        f"Message-ID: {message_id or '<somebody@example.com>'}",
        "",
        "hello",
        "--CC--",
        "",
    ]
    return "\r\n".join(lines).encode()


def in_words(to: str, text: str, sender: str = "PostMaster@qq.com") -> bytes:
    """A bounce without a report, as domestic providers send it."""
    head = f"From: {sender}\r\nTo: {to}\r\nMessage-ID: <w@qq.com>\r\n"
    kind = "Content-Type: text/plain; charset=gb18030\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    return (head + kind).encode() + text.encode("gb18030")
