"""Writing a URL: brackets around IPv6, a zone behind link-local addresses, never a wildcard.

An f-string with a host and a port is right for IPv4 only. Then, which URLs a server has: one
server has several, and each of them is for somebody else.
"""

from urllib.parse import urlsplit

from bindlab import Endpoint, Host, reachable_from

LAPTOP = Host.of(
    lo=["127.0.0.1/8", "::1/128"],
    wifi=["192.168.0.102/24", "2001:db8::102/64", "fe80::102/64"],
    ethernet="10.0.0.12/24",
)


def understood(url: str) -> str:
    """Return how the standard library reads *url*."""
    try:
        parts = urlsplit(url)
        return f"host {parts.hostname}, port {parts.port}"
    except ValueError as error:
        return f"{type(error).__name__}: {error}"


def write_them() -> None:
    for host in ("127.0.0.1", "2001:db8::102", "fe80::102%wifi"):
        naive, right = f"http://{host}:3000", Endpoint(host, 3000).url()
        print(f"{host}, port 3000")
        print(f"  f-string     {naive:32} {understood(naive)}")
        print(f"  Endpoint.url {right:32} {understood(right)}")


def hand_them_out() -> None:
    reach = reachable_from("[::]:3000", host=LAPTOP)
    print("A dual-stack server on a laptop, as an address book:")
    urls = reach.urls()
    for endpoint in reach.endpoints:
        url = endpoint.url()
        for_browsers = "" if url in urls else "; for curl, not for browsers"
        print(f"  {url:32} {endpoint.audience.name:8} {endpoint.reason}{for_browsers}")
    print("A zone such as %wifi is the caller's own name for its interface, on the laptop wifi, on")
    print("the phone perhaps wlan0: nobody can write such a URL for somebody else.")


def read_them_back() -> None:
    for text in ("[::1]:3000", "::1:3000", ":3000", "localhost:3000"):
        try:
            print(f"  {text:14} {Endpoint.parse(text)!r}")
        except ValueError as error:
            print(f"  {text:14} ValueError: {error}")


if __name__ == "__main__":
    write_them()
    print()
    hand_them_out()
    print()
    print("The other way round, text that is read as an endpoint:")
    read_them_back()
