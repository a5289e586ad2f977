namespace OciTool.SystemTests.Interop;

/// <summary>A tool that does not know a form: the cell of docs/portability.md says why, and there is no test.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class CannotAttribute(string peer, string form, string why) : Attribute
{
    public string Peer => peer;

    public string Form => form;

    public string Why => why;
}
