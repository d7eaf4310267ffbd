"""The list of messages: live delivery, what a restart must not lose, deleting, reading and searching."""

import re

from playwright.sync_api import expect

from watched import Watched


def article(page, text):
    return page.locator("article", has_text=text)


def connected(page):
    expect(page.get_by_text("Connected", exact=True)).to_be_visible(timeout=60_000)


def messages_arrive_live(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        page = watched.page
        first = server.application("Backup")
        server.send(first, "sent before")
        watched.login()
        expect(article(page, "sent before")).to_be_visible()
        connected(page)
        server.send(first, "sent live", title="A title", priority=8)
        expect(article(page, "sent live")).to_be_visible()
        expect(article(page, "sent live").get_by_text("Priority 8")).to_be_visible()
        # Of an application that the page does not know yet.
        second = server.application("Doorbell")
        server.send(second, "it rings")
        expect(article(page, "it rings").get_by_text("Doorbell").first).to_be_visible()
        expect(page.get_by_role("link", name="Doorbell")).to_be_visible()
        assert not [request.url for request in watched.requests if "undefined" in request.url]
        page.get_by_role("link", name="Doorbell").click()
        expect(article(page, "it rings")).to_be_visible()
        expect(article(page, "sent live")).to_have_count(0)


def a_restart_loses_no_message(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        page = watched.page
        watched.allow_a_stopped_server()
        application = server.application("Backup")
        server.send(application, "number 0")
        watched.login()
        connected(page)
        server.stop()
        expect(page.get_by_role("navigation").get_by_text("Connection lost, trying again…")).to_be_visible()
        server.start()
        # Whether the page is back already or not.
        for number in range(1, 6):
            server.send(application, f"number {number}")
        for number in range(6):
            expect(article(page, f"number {number}")).to_have_count(1, timeout=60_000)
        connected(page)
        server.send(application, "number 6")
        expect(article(page, "number 6")).to_have_count(1)


def a_deleted_message_comes_back_by_undo_and_goes_elsewhere_too(tools):
    with tools.server() as server, Watched(tools.browser, server) as here, Watched(tools.browser, server) as there:
        application = server.application("Backup")
        for text in ("to be kept", "to be deleted"):
            server.send(application, text)
        for watched in (here, there):
            watched.login()
            connected(watched.page)
        delete = lambda text: article(here.page, text).get_by_role("button", name="Delete message").click()
        delete("to be kept")
        expect(article(here.page, "to be kept")).to_have_count(0)
        here.page.get_by_role("button", name="Undo").click()
        expect(article(here.page, "to be kept")).to_be_visible()
        delete("to be deleted")
        # The other device hears of it by an event.
        expect(article(there.page, "to be deleted")).to_have_count(0, timeout=30_000)
        expect(article(there.page, "to be kept")).to_be_visible()
        left = [message["message"] for message in server.call("GET", "/message")["messages"]]
        assert left == ["to be kept"], left

        here.page.get_by_role("button", name="More actions").click()
        here.page.get_by_role("menuitem", name="Delete all messages").click()
        here.page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
        for watched in (here, there):
            expect(watched.page.locator("article")).to_have_count(0)


def unread_counts_follow_on_every_device(tools):
    with tools.server() as server, Watched(tools.browser, server) as here, Watched(tools.browser, server) as there:
        first, second = server.application("Backup"), server.application("Doorbell")
        server.send(first, "one")
        for watched in (here, there):
            # On a screen that shows no messages.
            watched.login(route="#/clients")
            expect(watched.page.get_by_role("link", name="Backup")).to_contain_text("1")
        server.send(first, "two")
        server.send(second, "three")
        for watched in (here, there):
            expect(watched.page.get_by_role("link", name=re.compile("^Backup"))).to_contain_text("2")
            expect(watched.page.get_by_role("link", name=re.compile("^Doorbell"))).to_contain_text("1")
        here.page.get_by_role("link", name=re.compile("^Backup")).click()
        expect(article(here.page, "two")).to_be_visible()
        for watched in (here, there):
            expect(watched.page.get_by_role("link", name=re.compile("^Backup")).locator(".badge")).to_have_count(0)
            expect(watched.page.get_by_role("link", name=re.compile("^Doorbell")).locator(".badge")).to_have_count(1)


def messages_are_searched(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        page = watched.page
        application = server.application("Backup")
        server.send(application, "The disk is full", priority=8)
        server.send(application, "The disk is fine", priority=2)
        watched.login()
        expect(article(page, "fine")).to_be_visible()
        page.keyboard.press("/")
        expect(page.get_by_label("Search messages")).to_be_focused()
        # The last word need not be finished.
        page.keyboard.type("disk fu")
        expect(article(page, "fine")).to_have_count(0)
        expect(article(page, "full")).to_be_visible()
        # The field shows what was searched for, also after a step back.
        page.get_by_role("link", name="All messages").click()
        expect(article(page, "fine")).to_be_visible()
        expect(page.get_by_label("Search messages")).to_have_value("")
        page.go_back()
        expect(article(page, "fine")).to_have_count(0)
        expect(page.get_by_label("Search messages")).to_have_value("disk fu")
        # What the server would refuse is not asked for.
        page.get_by_label("Search messages").fill("?!")
        expect(page.get_by_text("Enter a word with letters or digits")).to_be_visible()
        page.get_by_role("button", name="End search").click()
        expect(article(page, "fine")).to_be_visible()


def keys_move_in_the_list_and_between_screens(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        page = watched.page
        application = server.application("Backup")
        for number in range(3):
            server.send(application, f"number {number}")
        watched.login()
        for number in range(3):
            expect(article(page, f"number {number}")).to_be_visible()
        focused = lambda: page.evaluate("document.activeElement.innerText")
        page.keyboard.press("j")
        assert "number 2" in focused(), focused()
        page.keyboard.press("j")
        assert "number 1" in focused(), focused()
        page.keyboard.press("k")
        assert "number 2" in focused(), focused()
        page.keyboard.press("e")
        expect(article(page, "number 2")).to_have_count(0)
        assert "number 1" in focused(), focused()
        # What is done to a message is done only while it has the focus.
        page.get_by_role("link", name="Backup").focus()
        for key in ("e", "Delete", "r"):
            page.keyboard.press(key)
        page.keyboard.press("j")
        assert "number 1" in focused(), focused()
        expect(article(page, "number")).to_have_count(2)
        for keys, title in (("ga", "Applications"), ("gc", "Clients"), ("gm", "All messages")):
            page.keyboard.type(keys)
            expect(page.get_by_role("heading", name=title, level=1)).to_be_attached()
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)


def the_search_is_opened_from_another_screen(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        page = watched.page
        application = server.application("Backup")
        server.send(application, "The disk is full")
        server.send(application, "The disk is fine")
        watched.login(route="#/account")
        expect(page.get_by_role("heading", name="Account", level=1)).to_be_visible()
        page.keyboard.press("/")
        expect(page.get_by_label("Search messages")).to_be_focused()
        page.keyboard.type("full")
        expect(article(page, "fine")).to_have_count(0)
        expect(article(page, "full")).to_be_visible()


def a_dialog_keeps_what_is_typed_when_a_text_is_selected_beyond_its_edge(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        page, dialog = watched.page, watched.page.get_by_role("dialog")
        server.application("Backup")
        watched.login()
        page.get_by_role("button", name="Send message").click()
        field = dialog.get_by_label("Message", exact=True)
        field.fill("half of it")
        box = field.bounding_box()
        page.mouse.move(box["x"] + 60, box["y"] + 15)
        page.mouse.down()
        page.mouse.move(5, box["y"] + 15, steps=5)
        page.mouse.up()
        expect(field).to_have_value("half of it")
        page.mouse.click(5, box["y"] + 15)
        expect(dialog).to_have_count(0)


def a_dialog_whose_file_is_gone_says_so_and_can_be_opened_again(tools):
    with tools.server() as server, Watched(tools.browser, server, service_workers="block") as watched:
        page = watched.page
        watched.allow("ERR_FAILED")
        server.application("Backup")
        watched.login()
        page.route("**/assets/manage-*", lambda route: route.abort())
        page.get_by_role("button", name="Send message").click()
        expect(page.get_by_text("This part of the page could not be loaded").first).to_be_visible()
        page.unroute("**/assets/manage-*")
        page.get_by_role("button", name="Send message").click()
        expect(page.get_by_role("dialog")).to_be_visible()


def all_messages_are_marked_as_read_also_those_that_are_not_in_memory(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        page = watched.page
        application = server.application("Backup")
        sent = [server.send(application, f"number {number}")["id"] for number in range(120)]
        # In the list are messages around the first.
        watched.login(route="#/clients")
        badge = page.get_by_role("link", name=re.compile("^Backup")).locator(".badge")
        expect(badge).to_have_count(1)
        watched.open(f"#/messages?m={sent[0]}")
        expect(page.locator(f"[data-message='{sent[0]}']")).to_be_in_viewport()
        expect(badge).to_have_count(1)
        page.get_by_role("button", name="More actions").click()
        page.get_by_role("menuitem", name="Mark all as read").click()
        expect(badge).to_have_count(0)


def an_application_that_is_gone_is_no_question_about_all(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        page = watched.page
        watched.allow("404 \\(Not Found\\)")
        server.send(server.application("Backup"), "to be kept")
        watched.login(route="#/messages/77")
        expect(page.get_by_role("heading", name="Unknown application")).to_be_attached()
        page.get_by_role("button", name="More actions").click()
        page.get_by_role("menuitem", name="Delete all messages of Unknown application").click()
        expect(page.get_by_role("dialog")).to_contain_text("the application Unknown application")


def the_preview_of_a_long_message_is_cut_each_time(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        page = watched.page
        server.application("Backup")
        watched.login()
        preview = page.get_by_role("region", name="Preview")
        for _ in range(2):
            page.get_by_role("button", name="Send message").click()
            page.get_by_role("dialog").get_by_label("Message", exact=True).fill("\n".join(["line"] * 60))
            preview.get_by_role("button", name="Show all").click()
            expect(preview.get_by_role("button", name="Show all")).to_have_count(0)
            page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
            expect(page.get_by_role("dialog")).to_have_count(0)


CHECKS = (
    messages_arrive_live,
    a_restart_loses_no_message,
    a_deleted_message_comes_back_by_undo_and_goes_elsewhere_too,
    unread_counts_follow_on_every_device,
    messages_are_searched,
    keys_move_in_the_list_and_between_screens,
    all_messages_are_marked_as_read_also_those_that_are_not_in_memory,
    an_application_that_is_gone_is_no_question_about_all,
    the_preview_of_a_long_message_is_cut_each_time,
    the_search_is_opened_from_another_screen,
    a_dialog_keeps_what_is_typed_when_a_text_is_selected_beyond_its_edge,
    a_dialog_whose_file_is_gone_says_so_and_can_be_opened_again,
)
