"""x"""
async def play() -> bool:
    """x"""
    return True
