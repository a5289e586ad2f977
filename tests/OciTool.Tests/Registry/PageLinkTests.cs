using OciTool.Registry;
using Xunit;

namespace OciTool.Tests.Registry;

public sealed class PageLinkTests
{
    private static readonly Uri Page = new("https://registry.example:5000/v2/a/tags/list?n=2");

    [Theory]
    [InlineData("</v2/a/tags/list?last=b>; rel=\"next\"")]
    [InlineData("</v2/a/tags/list?last=b>; rel=next")]
    [InlineData("</v2/a/tags/list?last=b>;rel=\"prev next\"")]
    [InlineData("</v2/a/tags/list?last=b>; title=\"a, b; c\\\" d\"; REL=\"NEXT\"")]
    [InlineData("</v2/x>; rel=\"prev\", </v2/a/tags/list?last=b>; rel=\"next\"")]
    [InlineData(", </v2/a/tags/list?last=b>")]
    [InlineData("<https://REGISTRY.example:5000/v2/a/tags/list?last=b>; rel=\"next\"")]
    public void The_target_of_the_next_page_is_found(string header) =>
        Assert.Equal("https://registry.example:5000/v2/a/tags/list?last=b", PageLink.Next(Page, header)?.AbsoluteUri);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("</v2/x>; rel=\"prev\"")]
    [InlineData("</v2/x>; rel=\"nextish\"")]
    public void A_list_may_be_over(string? header) => Assert.Null(PageLink.Next(Page, header));

    [Theory]
    [InlineData("nonsense")]
    [InlineData("</v2/x; rel=\"next\"")]
    [InlineData("<")]
    [InlineData("<https://elsewhere.example/>; rel=\"next\"")]
    [InlineData("<javascript:alert(1)>; rel=\"next\"")]
    public void A_list_whose_end_is_not_known_is_not_cut_in_silence(string header) =>
        Assert.Throws<RegistryException>(() => PageLink.Next(Page, header));

    [Fact]
    public void A_link_of_absurd_length_is_refused() =>
        Assert.Throws<RegistryException>(() => PageLink.Next(Page, $"</{new string('a', 10_000)}>; rel=\"next\""));
}
