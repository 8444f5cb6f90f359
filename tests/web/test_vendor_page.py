"""A page that was written from the vendor's documentation works with another import and other addresses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from heliograph.core.apps import Environment, KeyKind
from heliograph.node import Node

PAGE = (Path(__file__).with_name("vendor_page.js")).read_text(encoding="utf-8")
IMPORTS = """
const [{ default: SDK }, page] = await Promise.all([
  import("/sdk/heliograph.js"), import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })))]);
"""
RUN = f"""async ([source, server]) => {{
  {IMPORTS}
  const canvas = document.createElement("canvas");
  canvas.getContext("2d").fillRect(0, 0, 300, 150);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve));
  return await page.run(SDK, server, new File([blob], "me.png", {{ type: "image/png" }}));
}}"""
SIGN_IN = f"""async ([source, server, signal]) => {{
  {IMPORTS}
  await page.signInByCode(SDK, server, signal);
}}"""


def server(node: Node, page: Any) -> dict[str, str]:
    """What the page is told of the server."""
    return {"apiBaseUrl": node.public_url, "licenseKey": page.app.keys[KeyKind.PUBLISHABLE, Environment.SANDBOX]}


async def test_register_connect_and_set_a_profile_by_url_and_by_file(new_page: Any, node: Node) -> None:
    page = await new_page()
    found = await page.page.evaluate(RUN, [PAGE, server(node, page)])
    assert (found["registered"]["statusCode"], found["registered"]["message"]) == (200, "Success")
    assert found["connected"] == {"statusCode": 200, "message": "Login Success"}
    assert (found["isSandbox"], found["isProfileUpdated"]) == (True, False)
    assert found["userJid"].startswith("123456789@")
    assert found["byUrl"]["data"]["image"] == "https://domain.example/path/image.png"
    assert found["byFile"]["data"]["image"].startswith(node.public_url)
    assert found["told"]["connection"] == ["CONNECTING", "CONNECTED"]
    assert [update["version"] for update in found["told"]["profile"]] == [1, 2]


async def test_sign_in_by_code(new_page: Any, node: Node) -> None:
    page, phone = await new_page(), await new_page()
    await phone.sign_in("ada")
    signal = node.public_url.replace("http", "ws", 1)
    await page.page.evaluate(SIGN_IN, [PAGE, server(node, page), signal])
    text = await page.code()
    approved = await phone.run("await SDK.approveQrCode(args[0], { consent: () => true })", text)
    await page.page.get_by_role("textbox").fill(approved["data"]["checkCode"])
    await page.page.keyboard.press("Enter")
    response = await page.run("await window.response")
    assert (response["statusCode"], response["username"]) == (200, "ada")
    assert response["password"]
