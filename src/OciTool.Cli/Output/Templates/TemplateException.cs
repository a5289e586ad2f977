using OciTool.Images;

namespace OciTool.Cli.Output.Templates;

/// <summary>A template is wrong or does not fit the data; the message is the one that Go gives.</summary>
internal sealed class TemplateException(string message) : OciException(Printable.Escape(message));
