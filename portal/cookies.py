"""How the portal names its cookies."""


def named(name: str, *, for_all_paths: bool, secure: bool) -> str:
    """With the prefix by which browsers refuse one of that name from a neighbour, or without HTTPS."""
    if not secure:
        return name
    return f"__Host-{name}" if for_all_paths else f"__Secure-{name}"
