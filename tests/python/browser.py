"""Chromium without a window, spoken to over the two pipes of --remote-debugging-pipe: needs nothing but the program."""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome")
ENOUGH_S = 30  # for one answer


def find():
    """The browser's path, or None."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Browser:
    def __init__(self, path):
        self.folder = tempfile.TemporaryDirectory(prefix="urja_browser_", ignore_cleanup_errors=True)
        theirs_in, self.out = os.pipe()
        self.inp, theirs_out = os.pipe()
        self.log = open(os.path.join(self.folder.name, "log"), "w+", encoding="utf8", errors="replace")
        flags = ["--headless=new", "--remote-debugging-pipe", f"--user-data-dir={self.folder.name}/profile", "--no-first-run",
                 "--no-default-browser-check", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                 "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions"]
        if os.geteuid() == 0:
            flags.append("--no-sandbox")  # it refuses to start as root otherwise
        # the browser reads descriptor 3 and writes 4
        shell = f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}'
        self.process = subprocess.Popen(["bash", "-c", shell, path, *flags, "about:blank"], pass_fds=(theirs_in, theirs_out),
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)
        os.close(theirs_in)
        os.close(theirs_out)
        self.rest, self.count, self.events = b"", 0, []
        self.answers = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.ask("Browser.close")
            self.process.wait(10)
        except (RuntimeError, OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.out)
        os.close(self.inp)
        self.log.close()
        self.folder.cleanup()

    def broken(self, what):
        self.log.flush()
        self.log.seek(0)
        return RuntimeError(f"chromium {what}; it said:\n{self.log.read()[-3000:]}")

    def read(self, until):
        """Takes in what the browser has to say; False if the time is over."""
        ready, _, _ = select.select([self.inp], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            return False
        chunk = os.read(self.inp, 1 << 20)
        if not chunk:
            raise self.broken("has ended")
        *whole, self.rest = (self.rest + chunk).split(b"\0")
        for text in whole:
            message = json.loads(text)
            if "id" in message:
                self.answers[message["id"]] = message
            else:
                self.events.append(message)
        return True

    def ask(self, method, session=None, **params):
        self.count += 1
        message = {"id": self.count, "method": method, "params": params, **({"sessionId": session} if session else {})}
        try:
            os.write(self.out, json.dumps(message).encode() + b"\0")
        except BrokenPipeError:
            raise self.broken("has ended") from None
        until = time.monotonic() + ENOUGH_S
        while self.count not in self.answers:
            if not self.read(until):
                raise self.broken(f"did not answer {method} within {ENOUGH_S} s")
        answer = self.answers.pop(self.count)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def open(self, file, width, height, phone=False, dark=False):
        return Tab(self, file, width, height, phone, dark)


class Tab:
    """A page that has been opened, with everything it asked for and complained about since."""

    def __init__(self, browser, file, width, height, phone, dark):
        self.browser, self.url = browser, file.resolve().as_uri()
        self.target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.ask("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2 if phone else 1, mobile=phone)
        if phone:
            self.ask("Emulation.setTouchEmulationEnabled", enabled=True)
        if dark:
            self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
        self.ask("Page.navigate", url=self.url)
        until = time.monotonic() + ENOUGH_S
        while not self.happened("Page.loadEventFired"):
            if not browser.read(until):
                raise browser.broken(f"did not load {self.url}")
        self.settle()

    def ask(self, method, **params):
        return self.browser.ask(method, self.session, **params)

    def happened(self, method):
        return [e["params"] for e in self.browser.events if e.get("sessionId") == self.session and e["method"] == method]

    def run(self, script):
        """What an expression comes to."""
        result = self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def settle(self):
        """Waits until what was begun has been drawn."""
        self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def complaints(self):
        """Exceptions, console warnings and errors, what the browser logged, and requests for anything but the page."""
        all_ = [f"exception: {p['exceptionDetails'].get('exception', {}).get('description', p['exceptionDetails'])}"
                for p in self.happened("Runtime.exceptionThrown")]
        all_ += [f"console.{p['type']}: {[a.get('value', a.get('description')) for a in p['args']]}"
                 for p in self.happened("Runtime.consoleAPICalled") if p["type"] in ("error", "warning", "assert")]
        all_ += [f"log: {p['entry']['level']}: {p['entry']['text']}" for p in self.happened("Log.entryAdded")
                 if p["entry"]["level"] in ("error", "warning")]
        all_ += [f"request: {p['request']['url'][:200]}" for p in self.happened("Network.requestWillBeSent")
                 if p["request"]["url"].split("#")[0] != self.url]
        return all_

    def screenshot(self, file, whole=True):
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 16000), "scale": 1}
        data = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole, **({"clip": clip} if whole else {}))["data"]
        file.write_bytes(base64.b64decode(data))

    def pdf(self, file):
        data = self.ask("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"]
        file.write_bytes(base64.b64decode(data))

    def close(self):
        self.browser.ask("Target.closeTarget", targetId=self.target)
