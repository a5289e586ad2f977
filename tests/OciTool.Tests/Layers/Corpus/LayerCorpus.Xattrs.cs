namespace OciTool.Tests.Layers.Corpus;

internal static partial class LayerCorpus
{
    /// <summary>CAP_SETFCAP and others in the form that the kernel keeps (revision 2, effective).</summary>
    private static readonly string Capability = "\u0001\0\0\u0002\0\u0004" + new string('\0', 14);

    private static OddLayer[] Xattrs() =>
    [
        Applied("E01", "`security.capability`", "kept", Attribute("security.capability", Capability).Add("f", uid: 3), Tree().File("f", "", uid: 3).Xattr("f", "security.capability", Capability)),
        Applied("E02", "`user.foo`", "kept", Attribute("user.foo", "bar").File("f"), Tree().File("f").Xattr("f", "user.foo", "bar")),
        OverBase("E03", "`trusted.overlay.opaque`", "not taken: the layer below is seen", Attribute("trusted.overlay.opaque", "y").Directory("d"), BaseTree()),
        OverBase("E04", "`trusted.overlay.redirect` to /etc", "not taken", Attribute("trusted.overlay.redirect", "/etc").Directory("zz"), BaseTree().Directory("zz")),
        OverBase("E05", "`trusted.overlay.metacopy`", "not taken", Attribute("trusted.overlay.metacopy", "").Pax(("SCHILY.xattr.trusted.overlay.metacopy", "\0\u0004\0\0")).File("keep", ""), BaseTree().File("keep", "")),
        Applied("E06", "`security.selinux`", "not taken: labels are the host's", Attribute("security.selinux", "x").File("f"), Tree().File("f")),
        Applied("E07", "`foo.bar`, of an unknown namespace", "not taken", Attribute("foo.bar", "x").File("f"), Tree().File("f")),
        Refused("E08", "value of 70,000 bytes", Attribute("user.big", new string('x', 70000)).File("f"), "user.big has 70000 bytes"),
        Applied("E09", "`user.foo` on a symlink", "left out with a warning", Attribute("user.foo", "bar").Symlink("s", "t"), Tree().Symlink("s", "t")),
        OverBase("E10", "`user.overlay.opaque`", "not taken: the layer below is seen", Attribute("user.overlay.opaque", "y").Directory("d"), BaseTree()),
        Refused("E11", "attribute without a name", Attribute("", "x").File("f"), "extended attribute without a name"),
        Applied("E12", "`trusted.foo`", "not taken", Attribute("trusted.foo", "x").File("f"), Tree().File("f")),
        Applied("E13", "`user.containers.override_stat`", "not taken", Attribute("user.containers.override_stat", "0:0:4755").File("f"), Tree().File("f")),
    ];

    private static TarBuilder Attribute(string name, string value) => New().Pax(("SCHILY.xattr." + name, value));
}
