"""The screen of applications."""

import struct
import tempfile
import zlib

from playwright.sync_api import expect

from watched import PHONE, Watched


def names(page):
    return page.locator(".items .item-title a").all_inner_texts()


def choose(page, name, action):
    page.get_by_role("button", name=f"More actions for {name}").click()
    page.get_by_role("menuitem", name=action, exact=True).click()


def applications_are_made_changed_and_deleted(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        page = watched.page
        watched.login(route="#/applications")
        page.get_by_role("button", name="Create application").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="Create", exact=True).click()
        expect(dialog.get_by_text("Enter a name.")).to_be_visible()
        expect(dialog.get_by_label("Name")).to_be_focused()
        dialog.get_by_label("Name").fill("Backup")
        dialog.get_by_label("Description").fill("Every night")
        dialog.get_by_label("Default priority").fill("x")
        expect(dialog.get_by_text("Enter a whole number.")).to_be_visible()
        dialog.get_by_label("Default priority").fill("7")
        dialog.get_by_role("button", name="Create", exact=True).click()

        # The token is shown this once, and works.
        expect(dialog.get_by_text("it is not shown again")).to_be_visible()
        token = dialog.locator(".secret code").inner_text()
        assert token in dialog.locator(".code").inner_text()
        server.call("POST", "/message", {"message": "with the token"}, token)
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Create application")).to_be_focused()
        choose(page, "Backup", "Token and examples")
        expect(dialog.get_by_text("The server shows a token only once")).to_be_visible()
        expect(dialog.locator(".secret")).to_have_count(0)

        # Replaced, the old one is refused.
        dialog.get_by_role("button", name="Replace token").click()
        page.get_by_role("dialog", name="Replace the token of Backup?").get_by_role("button", name="Replace token").click()
        expect(dialog.locator(".secret code")).not_to_have_text(token)
        server.call("POST", "/message", {"message": "with the new token"}, dialog.locator(".secret code").inner_text())
        page.keyboard.press("Escape")

        choose(page, "Backup", "Edit application")
        dialog.get_by_label("Name").fill("Backups")
        dialog.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Backups was saved")).to_be_visible()
        (kept,) = server.call("GET", "/application")
        assert (kept["name"], kept["description"], kept["defaultPriority"]) == ("Backups", "Every night", 7), kept

        choose(page, "Backups", "Delete")
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        expect(page.get_by_text("There are no applications yet")).to_be_visible()
        expect(page.locator("#main")).to_be_focused()
        assert server.call("GET", "/application") == []


def a_retention_is_kept(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        page, dialog = watched.page, watched.page.get_by_role("dialog")
        server.application("Backup")
        watched.login(route="#/applications")
        choose(page, "Backup", "Edit application")
        dialog.get_by_label("For so many days").fill("40000")
        expect(dialog.get_by_text("from 0 to 36,500")).to_be_visible()
        dialog.get_by_label("For so many days").fill("30")
        dialog.get_by_label("Only the newest").fill("100")
        dialog.get_by_role("button", name="Save").click()
        expect(page.get_by_text("keeps 30 days")).to_be_visible()
        expect(page.get_by_text("keeps the newest 100")).to_be_visible()
        (state,) = server.call("GET", "/shardcast/application")
        assert (state["keepDays"], state["keepNewest"]) == (30, 100), state


def a_failure_after_an_application_was_made_makes_no_second_one(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        page, dialog = watched.page, watched.page.get_by_role("dialog")
        watched.allow("ERR_FAILED")
        watched.login(route="#/applications")
        page.route("**/shardcast/application/*", lambda route: route.abort())
        page.get_by_role("button", name="Create application").click()
        dialog.get_by_label("Name").fill("Backup")
        dialog.get_by_label("For so many days").fill("30")
        dialog.get_by_role("button", name="Create", exact=True).click()
        expect(dialog.locator(".secret code")).to_be_visible()
        expect(page.get_by_text("The server does not answer").first).to_be_visible()
        assert len(server.call("GET", "/application")) == 1


def a_dialog_that_opens_before_the_bounds_came_keeps_them(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        page, dialog = watched.page, watched.page.get_by_role("dialog")
        application = server.application("Backup")
        kept = lambda: server.call("GET", "/shardcast/application")[0]["keepDays"]
        server.call("PUT", f"/shardcast/application/{application['id']}", {"keepDays": 30, "keepNewest": 0})
        held, go_on = [], []
        page.route("**/shardcast/application", lambda route: route.continue_() if go_on else held.append(route))
        watched.login(route="#/applications")
        choose(page, "Backup", "Edit application")
        expect(dialog.get_by_label("Name")).to_be_visible()
        go_on.append(True)
        for route in held:
            route.continue_()
        expect(dialog.get_by_label("For so many days")).to_have_value("30")
        dialog.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Backup was saved")).to_be_visible()
        assert kept() == 30, kept()


def applications_are_ordered_by_keys_and_by_dragging(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        page = watched.page
        for name in ("one", "two", "three", "four"):
            server.application(name)
        watched.login(route="#/applications")
        listed = lambda: [application["name"] for application in server.call("GET", "/application")]

        handle = page.get_by_role("button", name="Move three")
        handle.focus()
        page.keyboard.press("Enter")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowUp")
        expect(page.get_by_text("three, place 1 of 4")).to_be_attached()
        expect(handle).to_be_focused()
        page.keyboard.press("Escape")
        assert names(page) == ["one", "two", "three", "four"], names(page)
        page.keyboard.press("Enter")
        page.keyboard.press("Home")
        with page.expect_response("**/application/*"):
            page.keyboard.press("Enter")
        expect(page.get_by_text("three was moved to place 1 of 4")).to_be_attached()
        assert names(page) == listed() == ["three", "one", "two", "four"], (names(page), listed())

        with page.expect_response("**/application/*"):
            drag(page, "four", "one")
        assert names(page) == listed() == ["three", "four", "one", "two"], (names(page), listed())
        page.reload()
        expect(page.get_by_role("button", name="Move three")).to_be_visible()
        assert names(page) == ["three", "four", "one", "two"], names(page)


def applications_are_ordered_by_touch(tools):
    with tools.server() as server, Watched(tools.browser, server, PHONE, has_touch=True, is_mobile=True) as watched:
        page = watched.page
        for name in ("one", "two", "three"):
            server.application(name)
        watched.login(route="#/applications")
        box = lambda name: page.get_by_role("button", name=f"Move {name}").bounding_box()
        expect(page.get_by_role("button", name="Move three")).to_be_visible()
        start, end = box("three"), box("one")
        x = start["x"] + 10
        finger = watched.context.new_cdp_session(page)
        touch = lambda kind, *points: finger.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for y in points]}
        )
        touch("touchStart", start["y"] + 10)
        for step in range(1, 11):
            touch("touchMove", start["y"] + 10 + (end["y"] - start["y"] - 20) * step / 10)
        with page.expect_response("**/application/*"):
            touch("touchEnd")
        assert names(page) == ["three", "one", "two"], names(page)
        assert [application["name"] for application in server.call("GET", "/application")] == names(page)


def drag(page, moved, onto):
    """Drags an application to the place of another one above it."""
    start = page.get_by_role("button", name=f"Move {moved}").bounding_box()
    end = page.get_by_role("button", name=f"Move {onto}").bounding_box()
    page.mouse.move(start["x"] + 10, start["y"] + 10)
    page.mouse.down()
    page.mouse.move(start["x"] + 10, start["y"] - 10, steps=3)
    page.mouse.move(end["x"] + 10, end["y"] - 10, steps=8)
    page.mouse.up()


def a_picture_is_changed_and_removed(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched, tempfile.TemporaryDirectory() as folder:
        page = watched.page
        server.application("Backup")
        watched.login(route="#/applications")
        good, bad = f"{folder}/good.png", f"{folder}/bad.png"
        with open(good, "wb") as file:
            file.write(picture())
        with open(bad, "w", encoding="utf-8") as file:
            file.write("<script>alert(1)</script>")
        image = lambda: server.call("GET", "/application")[0]["image"]

        watched.allow("400 \\(Bad Request\\)")
        for path, said in ((bad, "The server says:"), (good, "The picture of Backup was changed")):
            with page.expect_file_chooser() as chooser:
                choose(page, "Backup", "Change picture")
            chooser.value.set_files(path)
            expect(page.get_by_text(said)).to_be_visible()
        assert image().startswith("image/"), image()
        # In the dialog, what is wrong is said above it.
        choose(page, "Backup", "Edit application")
        with page.expect_file_chooser() as chooser:
            page.get_by_role("dialog").get_by_role("button", name="Change picture").click()
        chooser.value.set_files(bad)
        expect(page.locator(".toasts:popover-open .toast", has_text="The server says:").last).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator(".item img.app-image")).to_have_js_property("naturalWidth", 2)
        choose(page, "Backup", "Remove picture")
        expect(page.get_by_text("The picture of Backup was removed")).to_be_visible()
        assert image() == "static/defaultapp.png", image()


def picture():
    """A PNG of two by two pixels."""
    chunk = lambda kind, data: (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    )
    rows = b"".join(b"\0" + b"\x20\x60\xc0" * 2 for _ in range(2))
    header = struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


CHECKS = (
    applications_are_made_changed_and_deleted,
    a_retention_is_kept,
    a_failure_after_an_application_was_made_makes_no_second_one,
    a_dialog_that_opens_before_the_bounds_came_keeps_them,
    applications_are_ordered_by_keys_and_by_dragging,
    applications_are_ordered_by_touch,
    a_picture_is_changed_and_removed,
)
